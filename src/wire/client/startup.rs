use crate::config::{Password, RequireAuth};

/// What a session is opened with.
///
/// # Example
///
/// ```
/// use pgferry::{config::RequireAuth, wire::Startup};
///
/// let scram = "scram-sha-256".parse::<RequireAuth>()?;
/// let startup = Startup::new("app", scram).database("shop").password("secret").parameter("application_name", "till");
/// assert!(!format!("{startup:?}").contains("secret"));
/// # Ok::<_, pgferry::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Startup {
    /// The role.
    pub user: String,
    /// The database; the server takes the one of the role's name where it is not said.
    pub database: Option<String>,
    /// Settings by name: `application_name`, `options`, `DateStyle`, …
    pub parameters: Vec<(String, String)>,
    /// The role's password.
    pub password: Option<Password>,
    /// Which ways of proving oneself are answered; any other is refused before anything secret is sent.
    pub require_auth: RequireAuth,
    /// Sends the password with the startup, before it is asked for in cleartext (as Neon always does), which saves a round trip.
    /// Without effect where `require_auth` does not allow a cleartext password.
    pub pipeline_password: bool,
}

impl Startup {
    /// Makes a startup of this role, with nothing else said.
    #[must_use]
    pub fn new(user: impl Into<String>, require_auth: RequireAuth) -> Self {
        Self {
            user: user.into(),
            database: None,
            parameters: Vec::new(),
            password: None,
            require_auth,
            pipeline_password: false,
        }
    }

    /// Sets the database.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// Sets the password.
    #[must_use]
    pub fn password(mut self, password: impl Into<Password>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Adds a setting.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sets whether the password is sent with the startup. Defaults to false.
    #[must_use]
    pub fn pipeline_password(mut self, pipeline: bool) -> Self {
        self.pipeline_password = pipeline;
        self
    }
}
