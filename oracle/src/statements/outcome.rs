use pgferry::{DbError, Error, execute::Output};

use crate::{
    tcp::{Answer, Column, Failure},
    values::shown,
};

/// What a statement came to.
pub(super) type Outcome = Result<Answer, Failure>;

/// What the road over HTTP gave, in the control's terms.
pub(super) fn of_ferry(result: pgferry::Result<Output>) -> Result<Outcome, Error> {
    match result {
        Ok(output) => Ok(Ok(answer(output))),
        Err(error) => match error.as_db_error() {
            Some(db) => Ok(Err(failure(db))),
            None => Err(error),
        },
    }
}

fn answer(output: Output) -> Answer {
    let columns = output.columns.iter().map(|column| Column {
        name: column.name.clone(),
        table_oid: column.table_oid,
        column_id: column.column_id,
        type_oid: column.type_oid,
        type_size: column.type_size,
        type_modifier: column.type_modifier,
    });
    let columns: Vec<_> = columns.collect();
    let rows =
        output.rows.iter().map(|row| row.values().map(|value| value.map(|value| value.to_vec().into())).collect());
    Answer { columns, rows: rows.collect(), tag: output.tag }
}

fn failure(error: &DbError) -> Failure {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let fields = [
        ('V', Some(error.severity.clone())),
        ('C', error.code.as_ref().map(ToString::to_string)),
        ('M', Some(error.message.clone())),
        ('D', error.detail.clone()),
        ('H', error.hint.clone()),
        ('P', number(error.position)),
        ('p', number(error.internal_position)),
        ('q', error.internal_query.clone()),
        ('W', error.where_.clone()),
        ('s', error.schema.clone()),
        ('t', error.table.clone()),
        ('c', error.column.clone()),
        ('d', error.data_type.clone()),
        ('n', error.constraint.clone()),
    ];
    let mut fields: Vec<_> = fields.into_iter().filter_map(|(letter, value)| Some((letter, value?))).collect();
    fields.sort();
    Failure(fields)
}

/// Says what differs; `None` where nothing does.
pub(super) fn difference(control: &Outcome, ferry: &Outcome) -> Option<String> {
    if control == ferry || is_same_failure(control, ferry) {
        return None;
    }
    let (control, ferry) = match (control, ferry) {
        (Ok(control), Ok(ferry)) => (control, ferry),
        _ => return Some(format!("gives {}, not {}", described(ferry), described(control))),
    };
    if control.columns != ferry.columns {
        return Some(format!("has the columns {:?}, not {:?}", ferry.columns, control.columns));
    }
    if control.tag != ferry.tag {
        return Some(format!("has the tag {:?}, not {:?}", ferry.tag, control.tag));
    }
    Some(format!("gives the rows {}, not {}", rows(ferry), rows(control)))
}

/// Whether both failed alike: the context of an error shows a parameter that came as text, and not one that came in binary.
fn is_same_failure(control: &Outcome, ferry: &Outcome) -> bool {
    let (Err(control), Err(ferry)) = (control, ferry) else { return false };
    let without_values = |failure: &Failure| {
        let field = |(letter, value): &(char, String)| match letter {
            'W' => (*letter, value.replace(" = '...'", "")),
            _ => (*letter, value.clone()),
        };
        failure.0.iter().map(field).collect::<Vec<_>>()
    };
    without_values(control) == without_values(ferry)
}

/// Whether the server could not read a parameter's bytes.
pub(super) fn is_of_bytes(outcome: &Outcome) -> bool {
    let codes = ["22P03", "08P01"];
    outcome
        .as_ref()
        .is_err_and(|failure| failure.0.iter().any(|(letter, value)| *letter == 'C' && codes.contains(&value.as_str())))
}

fn described(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) => format!("{} with {}", answer.tag, rows(answer)),
        Err(failure) => format!("the error {failure}"),
    }
}

fn rows(answer: &Answer) -> String {
    let row = |row: &Vec<Option<bytes::Bytes>>| {
        let values = row.iter().map(|value| value.as_ref().map_or_else(|| "null".to_owned(), |value| shown(value)));
        format!("({})", values.collect::<Vec<_>>().join(","))
    };
    answer.rows.iter().take(4).map(row).collect::<Vec<_>>().join(" ")
}
