use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::Plan;
use crate::execute::Opening;

/// The gatherings that clients can join, by name.
#[derive(Debug, Default)]
pub(in crate::bridge) struct Registry(Mutex<HashMap<String, Weak<Plan>>>);

impl Registry {
    pub(super) fn add(&self, plan: &Arc<Plan>) {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|_, plan| plan.strong_count() > 0);
        plans.insert(plan.name().to_owned(), Arc::downgrade(plan));
    }

    /// The one that a client wants to join, if it does.
    pub(in crate::bridge) fn wanted_by(&self, opening: &Opening) -> Option<Arc<Plan>> {
        let (_, name) = opening.parameters.iter().rfind(|(name, _)| name == "application_name")?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name)?.upgrade()
    }
}
