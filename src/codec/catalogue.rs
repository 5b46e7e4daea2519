use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use super::{Definition, RegNames, Type, Unconvertible, builtin, builtin_name, resolver::Resolver};
use crate::Oid;

/// The types of one database: those that every Postgres has, and on top of them what was read from its `pg_type`.
///
/// # Example
///
/// ```
/// use pgferry::codec::{Attribute, Catalogue, Definition, DefinitionKind};
///
/// let kind = DefinitionKind::Composite {
///     attributes: vec![
///         Attribute { name: "x".to_owned(), type_oid: 23 },
///         Attribute { name: "label".to_owned(), type_oid: 25 },
///     ],
/// };
/// let point = Definition { oid: 16400, schema: "public".to_owned(), name: "labelled".to_owned(), array: 0, kind };
/// let catalogue = Catalogue::new([point]);
/// assert_eq!(catalogue.cast_name(16400).as_deref(), Some("public.labelled"));
///
/// let labelled = catalogue.conversion(16400, None)?;
/// let mut binary = Vec::new();
/// labelled.text_to_binary("(7,\"a b\")", &mut binary)?;
/// assert_eq!(binary, b"\0\0\0\x02\0\0\0\x17\0\0\0\x04\0\0\0\x07\0\0\0\x19\0\0\0\x03a b");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    definitions: HashMap<Oid, Definition>,
    /// By name, the types that have it, the one with the lowest OID first.
    names: HashMap<String, Vec<Oid>>,
}

impl Catalogue {
    /// Takes the definitions that were read from a database; they go before the built-in ones.
    pub fn new(definitions: impl IntoIterator<Item = Definition>) -> Self {
        let definitions: HashMap<_, _> =
            definitions.into_iter().map(|definition| (definition.oid, definition)).collect();
        let mut names: HashMap<String, Vec<Oid>> = HashMap::new();
        for Definition { oid, name, .. } in definitions.values() {
            names.entry(name.clone()).or_default().push(*oid);
        }
        names.values_mut().for_each(|oids| oids.sort_unstable());
        Self { definitions, names }
    }

    /// Returns what is known of a type.
    pub fn by_oid(&self, oid: Oid) -> Option<&Definition> {
        self.definitions.get(&oid).or_else(|| BUILTIN.get(&oid))
    }

    /// Returns the type of a name, both unquoted.
    ///
    /// Without a schema it is the one of `pg_catalog`, else the only one in any schema that was read; `None` where several
    /// schemas have the name.
    pub fn by_name(&self, schema: Option<&str>, name: &str) -> Option<&Definition> {
        let own = self.names.get(name).map(Vec::as_slice).unwrap_or_default();
        let of_schema = |schema: &str| {
            let mut own = own.iter().filter_map(|oid| self.definitions.get(oid));
            own.find(|definition| definition.schema == schema)
                .or_else(|| BUILTIN.values().find(|definition| definition.schema == schema && definition.name == name))
        };
        match (schema, own) {
            (Some(schema), _) => of_schema(schema),
            (None, &[only]) => of_schema("pg_catalog").or_else(|| self.definitions.get(&only)),
            (None, _) => of_schema("pg_catalog"),
        }
    }

    /// Returns the definitions that were read from the database, in no particular order.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.values()
    }

    /// Returns a type's name as a cast takes it, qualified and quoted; for [`sql::typed_with`](crate::sql::typed_with).
    pub fn cast_name(&self, oid: Oid) -> Option<Cow<'_, str>> {
        match self.definitions.get(&oid) {
            Some(definition) => Some(Cow::Owned(definition.cast_name())),
            None => builtin_name(oid).map(Cow::Borrowed),
        }
    }

    /// Whether nothing read from the database says what the type is.
    pub(super) fn is_builtin(&self, oid: Oid) -> bool {
        !self.definitions.contains_key(&oid)
    }

    /// Returns how values of a type are converted; to be asked once for a column or a parameter, then used for every row.
    ///
    /// `regclass` and its like, and all that is made of them, need the database's names; with [`RegNames::default`] their
    /// binary form still becomes a number's text, which Postgres reads as well.
    ///
    /// # Errors
    ///
    /// A type that this catalogue does not have, needs names that were not given, is an anonymous record or for the server's
    /// own use, or whose binary form is not known.
    pub fn conversion(&self, oid: Oid, names: Option<&Arc<RegNames>>) -> Result<Type, Unconvertible> {
        Resolver::new(self, names).resolve(oid)
    }
}

static BUILTIN: LazyLock<HashMap<Oid, Definition>> =
    LazyLock::new(|| builtin::definitions().map(|definition| (definition.oid, definition)).collect());

#[cfg(test)]
mod tests {
    use super::{super::DefinitionKind, Catalogue, Definition};

    fn domain(oid: u32, schema: &str, name: &str) -> Definition {
        Definition {
            oid,
            schema: schema.to_owned(),
            name: name.to_owned(),
            array: 0,
            kind: DefinitionKind::Domain { base: 23 },
        }
    }

    #[test]
    fn types_are_found_by_name() {
        let catalogue = Catalogue::new([
            domain(20001, "a", "both"),
            domain(20002, "b", "both"),
            domain(20003, "a", "int4"),
            domain(20004, "b", "one"),
        ]);
        let found = |schema, name| catalogue.by_name(schema, name).map(|definition| definition.oid);
        assert_eq!(found(Some("a"), "both"), Some(20001));
        assert_eq!(found(Some("b"), "both"), Some(20002));
        assert_eq!(found(None, "both"), None);
        assert_eq!(found(None, "one"), Some(20004));
        assert_eq!(found(None, "int4"), Some(23));
        assert_eq!(found(Some("a"), "int4"), Some(20003));
        assert_eq!(found(Some("pg_catalog"), "int4"), Some(23));
        assert_eq!(found(Some("b"), "int4"), None);
        assert_eq!(catalogue.definitions().count(), 4);
    }

    #[test]
    fn what_was_read_goes_before_the_built_in() {
        let catalogue = Catalogue::new([domain(25, "pg_catalog", "text")]);
        let mut binary = Vec::new();
        catalogue.conversion(25, None).unwrap().text_to_binary("7", &mut binary).unwrap();
        assert_eq!(binary, [0, 0, 0, 7]);
        assert!(Catalogue::default().conversion(25, None).is_ok());
    }
}
