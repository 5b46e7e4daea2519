use crate::{
    error::{Error, Outcome, Result},
    execute::{Event, Output},
};

/// A batch's results in the making.
#[derive(Debug)]
pub(super) struct Outputs {
    ended: Vec<Output>,
    current: Output,
    /// How many statements the batch has.
    count: usize,
    /// How many bytes of rows may come yet.
    room: usize,
    limit: usize,
}

impl Outputs {
    pub(super) fn new(count: usize, limit: usize) -> Self {
        Self { ended: Vec::new(), current: Output::default(), count, room: limit, limit }
    }

    /// How many statements have ended.
    pub(super) fn ended(&self) -> usize {
        self.ended.len()
    }

    pub(super) fn add(&mut self, event: Event) -> Result<()> {
        if let Event::Row(row) = &event {
            self.room = self.room.checked_sub(row.as_bytes().len()).ok_or_else(|| self.too_large())?;
        }
        let ends = matches!(event, Event::Complete(_) | Event::Empty);
        self.current.add(event);
        if ends {
            self.ended.push(std::mem::take(&mut self.current));
        }
        Ok(())
    }

    /// Gives a result for each statement.
    pub(super) fn finish(self) -> Result<Vec<Output>> {
        if self.ended.len() == self.count {
            return Ok(self.ended);
        }
        Err(Error::protocol("a batch has not as many results as statements", Outcome::Unknown))
    }

    fn too_large(&self) -> Error {
        let limit = self.limit;
        Error::limit(
            format!(
                "the results of a batch are held until it ends, and are larger than {limit} bytes: raise max_response_size, or read less"
            ),
            Outcome::Unknown,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::DataRow;

    fn row(bytes: usize) -> Event {
        let mut row = DataRow::builder(1).unwrap();
        row.push(|out| {
            out.extend_from_slice(&vec![b'x'; bytes]);
            Ok(())
        })
        .unwrap();
        Event::Row(row.finish().unwrap())
    }

    #[test]
    fn results_are_bounded_together() {
        let mut outputs = Outputs::new(2, 100);
        outputs.add(row(40)).unwrap();
        outputs.add(Event::Complete("SELECT 1".into())).unwrap();
        assert_eq!(outputs.ended(), 1);
        let error = outputs.add(row(80)).unwrap_err();
        assert!(error.is_limit() && error.message().contains("max_response_size"), "{error}");
    }

    #[test]
    fn each_statement_has_its_result() {
        let mut outputs = Outputs::new(2, 1000);
        outputs.add(row(1)).unwrap();
        outputs.add(Event::Complete("SELECT 1".into())).unwrap();
        outputs.add(Event::Empty).unwrap();
        let outputs = outputs.finish().unwrap();
        assert_eq!((outputs[0].rows.len(), outputs[0].affected, outputs[1].is_empty), (1, 1, true));
        assert!(Outputs::new(1, 1).finish().is_err());
    }
}
