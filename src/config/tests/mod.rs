mod credentials;
mod environment;
mod errors;
mod golden;
mod precedence;
mod require_auth;
mod root_certificates;
mod secrets;
mod transport;

use std::{collections::HashMap, ffi::OsString};

use super::Config;
use crate::error::Result;

fn config(url: &str) -> Config {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// Reads an environment that holds these variables and no others.
fn from_variables(variables: &[(&str, &str)]) -> Result<Config> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Config::from_lookup(|name| variables.get(name).map(OsString::from))
}
