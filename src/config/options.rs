use super::{Config, Provider, neon};
use crate::error::Result;

impl Config {
    /// Returns the Neon endpoint that the options select (`endpoint=<id>`, or its old name `project=<id>`).
    pub(super) fn endpoint_option(&self) -> Option<&str> {
        self.get_options()?.split_ascii_whitespace().find_map(endpoint_id)
    }

    /// Refuses options that would be lost on the way or mean something else there.
    pub(super) fn check_options(&self) -> Result<()> {
        let Some((_, source)) = &self.options else { return Ok(()) };
        if let Some(id) = self.endpoint_option() {
            if self.get_provider() != Provider::Neon {
                return Err(source
                    .error("options", "`endpoint=` means something to Neon only: remove it, or add provider=neon"));
            }
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                return Err(source.error("options", "`endpoint=` wants an endpoint's id: letters, digits and hyphens"));
            }
            let plain = id.strip_suffix("-pooler").unwrap_or(id);
            if let Some(named) = neon::endpoint_of(self.get_host()?)
                && named != plain
            {
                return Err(source.error(
                    "options",
                    format!("they select the endpoint {plain}, and the host the endpoint {named}: remove one"),
                ));
            }
        }
        Ok(())
    }
}

fn endpoint_id(word: &str) -> Option<&str> {
    word.strip_prefix("endpoint=").or_else(|| word.strip_prefix("project="))
}
