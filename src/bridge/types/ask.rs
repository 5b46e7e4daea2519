use crate::{
    error::Result,
    execute::{HttpSession, Output, Statement},
    sql::Dialect,
};

/// What can ask the server for types.
pub(in crate::bridge) trait Ask: Sync {
    /// How the server reads texts.
    fn dialect(&self) -> Dialect;

    /// Executes the question.
    fn ask(&self, question: &Statement) -> impl Future<Output = Result<Output>> + Send;
}

impl Ask for HttpSession {
    fn dialect(&self) -> Dialect {
        self.dialect()
    }

    async fn ask(&self, question: &Statement) -> Result<Output> {
        self.answer_to(question).await
    }
}
