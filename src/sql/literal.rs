/// Returns a string constant that means the same whatever `standard_conforming_strings` says, with a space before it, so that no word
/// runs into its `E`.
pub(crate) fn literal(text: &str) -> String {
    format!(" E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
