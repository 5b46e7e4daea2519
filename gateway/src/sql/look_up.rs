use std::borrow::Cow;

use pgferry::{
    Oid,
    wire::{Client, DataRow, Event},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    run::text_statement,
    value_kind::{Scalar, ValueKind, ValueKinds},
};

/// Tells of the types among `$1` that are arrays. Everything in it is named in full, since the caller may have a search path
/// of its own.
const LOOK_UP_ARRAYS: &str = "SELECT t.oid, t.typelem, t.typdelim FROM pg_catalog.pg_type t \
    WHERE t.oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND t.typcategory OPERATOR(pg_catalog.=) 'A' \
    AND t.typtype OPERATOR(pg_catalog.=) 'b' AND t.typlen OPERATOR(pg_catalog.=) -1";

/// Learns of these types whether they are arrays.
pub(super) async fn look_up<S>(client: &mut Client<S>, unknown: &[Oid], kinds: &ValueKinds) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let oids: Vec<_> = unknown.iter().map(Oid::to_string).collect();
    let oids = [Some(Cow::Owned(format!("{{{}}}", oids.join(",")).into_bytes()))];
    let mut execution =
        client.execute(&text_statement(LOOK_UP_ARRAYS, &oids)).await.map_err(|error| Fault::from_statement(&error))?;
    let mut arrays = Vec::new();
    while let Some(event) = execution.next().await.map_err(|error| Fault::from_statement(&error))? {
        if let Event::Row(row) = event {
            arrays.push(array_type(&row).ok_or_else(Fault::unreadable_response)?);
        }
    }
    for oid in unknown {
        let array = arrays.iter().find(|(array, _)| array == oid);
        kinds.insert(*oid, array.map_or(ValueKind::Scalar(Scalar::Text), |(_, kind)| *kind));
    }
    Ok(())
}

fn array_type(row: &DataRow) -> Option<(Oid, ValueKind)> {
    let mut values = row.values().map(|value| value.and_then(|value| str::from_utf8(value).ok()));
    let oid = values.next()??.parse().ok()?;
    let element = values.next()??.parse().ok()?;
    let delimiter = *values.next()??.as_bytes().first()?;
    Some((oid, ValueKind::array(element, delimiter)))
}
