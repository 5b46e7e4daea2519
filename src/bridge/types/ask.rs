use crate::{
    error::Result,
    execute::{HttpSession, Output, Statement},
};

/// What can ask the server for types.
pub(in crate::bridge) trait Ask: Sync {
    /// Executes the question.
    fn ask(&self, question: &Statement) -> impl Future<Output = Result<Output>> + Send;
}

impl Ask for HttpSession {
    async fn ask(&self, question: &Statement) -> Result<Output> {
        self.answer_to(question).await
    }
}
