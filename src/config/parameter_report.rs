/// What became of one parameter of the URL, the environment or [`Config::param`](super::Config::param).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterReport {
    /// The parameter's name, as in the table of [`Config`](super::Config).
    pub name: String,
    /// Its value, or `…` where it holds a secret.
    pub value: String,
    /// Where it came from: a variable of the environment, the URL, or code.
    pub origin: String,
    /// What was done with it.
    pub fate: Fate,
}

/// What was done with a parameter. One that could be neither applied nor left out was refused with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It is in force.
    Applied,
    /// It was left out, for this reason.
    Stripped(&'static str),
}
