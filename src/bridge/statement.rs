use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use super::{effects::Effects, types::is_built_in};
use crate::{Oid, sql};

/// A statement that a client parsed, as far as anything can be known of it without asking the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prepared {
    pub(super) text: Arc<str>,
    pub(super) param_types: Vec<Oid>,
    /// The server described its columns to the client, so that they need not come with the rows.
    pub(super) is_described: bool,
    effects: OnceLock<Effects>,
}

impl Prepared {
    pub(super) fn new(text: impl Into<Arc<str>>, param_types: Vec<Oid>) -> Self {
        Self { text: text.into(), param_types, is_described: false, effects: OnceLock::new() }
    }

    /// Whether the client declared the type of every parameter.
    pub(super) fn is_declared(&self) -> bool {
        let is_declared = |index: usize| self.param_types.get(index).is_some_and(|oid| *oid != 0);
        (0..sql::highest_parameter(&self.text)).all(is_declared)
    }

    /// What executing it does to more than its result.
    pub(super) fn effects(&self) -> Effects {
        *self.effects.get_or_init(|| Effects::of(&self.text))
    }

    /// Whether no parameter has a type that sqlx must ask for.
    pub(super) fn has_builtin_params(&self) -> bool {
        self.param_types.iter().all(|&oid| oid == 0 || is_built_in(oid))
    }
}

/// A client's prepared statements by name, whatever carries them; the unnamed one's name is empty.
#[derive(Debug, Default)]
pub(super) struct Statements(HashMap<String, Prepared>);

impl Statements {
    pub(super) fn get(&self, name: &str) -> Option<&Prepared> {
        self.0.get(name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Prepared> {
        self.0.get_mut(name)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn insert(&mut self, name: String, prepared: Prepared) {
        self.0.insert(name, prepared);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Drops all but those whose names this says yes to.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&str) -> bool) {
        self.0.retain(|name, _| stays(name));
    }
}
