use super::{
    Effect,
    token::{Kind, Token},
};

/// The calls of functions that a session sees, and the views that show it, in a statement that is being read.
#[derive(Default)]
pub(super) struct SessionCalls {
    depth: usize,
    /// The calls of `set_config` that have not ended, the innermost last.
    settings: Vec<Arguments>,
    leaves_state: bool,
    tells_of_session: bool,
}

/// The arguments of an open call.
struct Arguments {
    /// How many parentheses are open inside it.
    depth: usize,
    commas: usize,
    /// How many tokens the argument has so far that is being read.
    tokens: usize,
    /// Whether the last of them is the Boolean `true`.
    is_true: bool,
}

impl SessionCalls {
    /// Takes the next token, with the three before it and the one behind it; returns the effect that decides at once.
    pub(super) fn see(
        &mut self,
        [third, second, first]: [Option<Token<'_>>; 3],
        token: Token<'_>,
        next: Option<&Token<'_>>,
    ) -> Option<Effect> {
        if token.is_symbol("(") {
            self.depth += 1;
        } else if token.is_symbol(")") {
            let ended = self.settings.pop_if(|call| call.depth == self.depth);
            self.depth = self.depth.saturating_sub(1);
            if ended.is_some_and(|call| !call.lasts_for_the_transaction()) {
                return Some(Effect::SessionFunction);
            }
        }
        if let Some(call) = self.settings.last_mut() {
            call.see(token, self.depth);
        }
        let is_call = next.is_some_and(|next| next.is_symbol("("));
        if !is_call && !VIEWS.iter().any(|view| token.names(view)) {
            return None;
        }
        let is_qualified = first.is_some_and(|first| first.is_symbol("."));
        // Only Postgres's own functions are known.
        let is_known = !is_qualified
            || second.is_some_and(|schema| schema.names("pg_catalog"))
                && !third.is_some_and(|third| third.is_symbol("."));
        if !is_known {
            return None;
        }
        if !is_call {
            self.tells_of_session = true;
            return None;
        }
        if (if is_qualified { third } else { first }).is_some_and(|word| word.is_any(BEFORE_NAMES)) {
            return None;
        }
        match function(token.identifier().as_deref()?)? {
            Function::SetConfig => self.settings.push(Arguments::new(self.depth + 1)),
            Function::LeavesState => self.leaves_state = true,
            Function::TellsOfSession => self.tells_of_session = true,
            Function::Decides(effect) => return Some(effect),
        }
        None
    }

    pub(super) fn effect(&self) -> Effect {
        if !self.settings.is_empty() {
            Effect::SessionFunction
        } else if self.leaves_state {
            Effect::LeavesState
        } else if self.tells_of_session {
            Effect::TellsOfSession
        } else {
            Effect::None
        }
    }
}

impl Arguments {
    fn new(depth: usize) -> Self {
        Self { depth, commas: 0, tokens: 0, is_true: false }
    }

    fn see(&mut self, token: Token<'_>, depth: usize) {
        if depth == self.depth && token.is_symbol("(") && self.commas == 0 && self.tokens == 0 {
            // The one that opens the call.
            return;
        }
        if depth == self.depth && token.is_symbol(",") {
            *self = Self { commas: self.commas + 1, ..Self::new(self.depth) };
            return;
        }
        self.tokens += 1;
        let text = matches!(token.text.to_ascii_lowercase().as_str(), "'true'" | "'t'" | "'on'" | "'yes'" | "'1'");
        self.is_true = token.is("true") || token.kind == Kind::String && text;
    }

    /// Whether the third argument says so.
    fn lasts_for_the_transaction(&self) -> bool {
        self.commas == 2 && self.is_true && self.tokens == 1
    }
}

/// What a name in front of a parenthesis stands behind where it is not called: `INSERT INTO currval (a)`.
const BEFORE_NAMES: &[&str] = &[
    "into",
    "table",
    "exists",
    "references",
    "as",
    "with",
    "recursive",
    "copy",
    "function",
    "procedure",
    "routine",
    "aggregate",
];

/// The views of what is in the session that asks.
const VIEWS: &[&str] = &["pg_cursors", "pg_prepared_statements"];

enum Function {
    SetConfig,
    LeavesState,
    TellsOfSession,
    Decides(Effect),
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "set_config" => Function::SetConfig,
        "nextval" | "setval" | "setseed" => Function::LeavesState,
        "pg_backend_pid"
        | "inet_client_port"
        | "pg_my_temp_schema"
        | "pg_is_other_temp_schema"
        | "pg_listening_channels" => Function::TellsOfSession,
        "pg_advisory_lock"
        | "pg_advisory_lock_shared"
        | "pg_try_advisory_lock"
        | "pg_try_advisory_lock_shared"
        | "pg_advisory_unlock"
        | "pg_advisory_unlock_shared"
        | "pg_advisory_unlock_all" => Function::Decides(Effect::AdvisoryLock),
        "currval"
        | "lastval"
        | "pg_export_snapshot"
        | "pg_backup_start"
        | "pg_backup_stop"
        | "pg_start_backup"
        | "pg_stop_backup"
        | "pg_replication_origin_session_setup"
        | "pg_replication_origin_session_reset"
        | "pg_replication_origin_session_is_setup"
        | "pg_replication_origin_session_progress"
        | "lo_open"
        | "lo_close"
        | "loread"
        | "lowrite"
        | "lo_lseek"
        | "lo_lseek64"
        | "lo_tell"
        | "lo_tell64"
        | "lo_truncate"
        | "lo_truncate64" => Function::Decides(Effect::SessionFunction),
        _ => return None,
    })
}
