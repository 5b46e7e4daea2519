use std::{fmt, str::FromStr};

use http::{Response, StatusCode};
use serde_json::json;

use crate::sql::{self, Body, Fault};

/// An answer by which an endpoint refuses a request before it has acted on it, or fails for no reason that it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Status(StatusCode),
    /// The reference's answer to too many requests.
    TooManyConnections,
    /// The reference's answer where it cannot start a compute.
    ControlPlane,
    /// The reference's answer where the compute does not answer.
    NoCompute,
}

impl Refusal {
    /// Returns the answer, in the reference's form.
    pub(super) fn answer(self) -> Response<Body> {
        let fault = match self {
            // What stands before the reference's own service answers in another form.
            Self::Status(status) => {
                let message = status.canonical_reason().unwrap_or("refused on purpose").to_lowercase();
                return sql::json(status, json!({ "msg": message }).to_string());
            }
            Self::TooManyConnections => Fault::too_many_connections(),
            Self::ControlPlane => Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "Control plane request failed"),
            Self::NoCompute => Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "Couldn't connect to compute node"),
        };
        sql::json(fault.status, fault.body())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => f.write_str(status.as_str()),
            Self::TooManyConnections => f.write_str("too-many-connections"),
            Self::ControlPlane => f.write_str("control-plane"),
            Self::NoCompute => f.write_str("no-compute"),
        }
    }
}

impl FromStr for Refusal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "too-many-connections" => Ok(Self::TooManyConnections),
            "control-plane" => Ok(Self::ControlPlane),
            "no-compute" => Ok(Self::NoCompute),
            status => match StatusCode::from_bytes(status.as_bytes()) {
                Ok(status) if status.is_client_error() || status.is_server_error() => Ok(Self::Status(status)),
                _ => Err(()),
            },
        }
    }
}
