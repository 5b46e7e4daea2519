//! Makes a type's conversion of its definition and of those that it is made of.

use std::{collections::HashMap, sync::Arc};

use super::{
    Catalogue, DefinitionKind, RegNames, Type, Unconvertible, array::Array, base::Base, builtin_name, kind::Kind,
    reg_names, type_::Name, unconvertible::Why,
};
use crate::Oid;

/// How deep types may be nested, which bounds the recursion of every conversion.
const MAX_DEPTH: usize = 128;

const RECORD: Oid = 2249;

pub(super) struct Resolver<'a> {
    catalogue: &'a Catalogue,
    names: Option<&'a Arc<RegNames>>,
    /// What was made already, with how deep it is nested: a type may be in another many times.
    made: HashMap<Oid, (Type, usize)>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, names: Option<&'a Arc<RegNames>>) -> Self {
        Self { catalogue, names, made: HashMap::new() }
    }

    pub(super) fn resolve(mut self, oid: Oid) -> Result<Type, Unconvertible> {
        self.at(oid, 0).map(|(made, _)| made)
    }

    fn at(&mut self, oid: Oid, depth: usize) -> Result<(Type, usize), Unconvertible> {
        if let Some(made) = self.made.get(&oid) {
            return Ok(made.clone());
        }
        let catalogue = self.catalogue;
        let definition = catalogue.by_oid(oid).ok_or_else(|| Unconvertible::new(oid, oid.to_string(), Why::Unknown))?;
        let refused = |why| Unconvertible::new(oid, definition.cast_name(), why);
        if depth >= MAX_DEPTH {
            return Err(refused(Why::TooDeep));
        }
        let (kind, height) = match &definition.kind {
            DefinitionKind::Pseudo if oid == RECORD => return Err(refused(Why::Record)),
            DefinitionKind::Base { .. } if reg_names::is_reg(oid) => {
                let names = self.names.ok_or_else(|| refused(Why::NeedsNames))?;
                (Kind::Reg(oid, Arc::clone(names)), 1)
            }
            DefinitionKind::Base { send } => (Kind::Base(base(oid, send).map_err(refused)?), 1),
            DefinitionKind::Pseudo => (Kind::Base(Base::of(oid).ok_or_else(|| refused(Why::Internal))?), 1),
            DefinitionKind::Enum { .. } => (Kind::Base(Base::Text), 1),
            DefinitionKind::Domain { base } => {
                let (base, height) = self.at(*base, depth + 1)?;
                (base.into_kind(), height)
            }
            &DefinitionKind::Array { element, delimiter } => {
                let (element, height) = self.at(element, depth + 1)?;
                (Kind::Array(Arc::new(Array { element, delimiter })), height + 1)
            }
            DefinitionKind::Composite { attributes } => {
                let mut height = 0;
                let mut types = Vec::with_capacity(attributes.len());
                for attribute in attributes {
                    let (made, inner) = self.at(attribute.type_oid, depth + 1)?;
                    height = height.max(inner);
                    types.push(made);
                }
                (Kind::Composite(types.into()), height + 1)
            }
            &DefinitionKind::Range { subtype } => {
                let (subtype, height) = self.at(subtype, depth + 1)?;
                (Kind::Range(Arc::new(subtype)), height + 1)
            }
            &DefinitionKind::Multirange { range } => {
                let (range, height) = self.at(range, depth + 1)?;
                (Kind::Multirange(Arc::new(range)), height + 1)
            }
        };
        if height > MAX_DEPTH {
            return Err(refused(Why::TooDeep));
        }
        let name = match catalogue.is_builtin(oid).then(|| builtin_name(oid)).flatten() {
            Some(name) => Name::Static(name),
            None => Name::Shared(definition.cast_name().into()),
        };
        let made = (Type::new(oid, name, kind), height);
        self.made.insert(oid, made.clone());
        Ok(made)
    }
}

fn base(oid: Oid, send: &str) -> Result<Base, Why> {
    /// What `initdb` makes has lower numbers.
    const FIRST_OF_USERS: Oid = 16384;
    match Base::of(oid).or_else(|| Base::of_send(send)) {
        Some(base) => Ok(base),
        None if send.is_empty() => Err(Why::NoBinaryForm),
        None if oid < FIRST_OF_USERS => Err(Why::Internal),
        None => Err(Why::Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Attribute, Catalogue, Definition, DefinitionKind},
        MAX_DEPTH,
    };

    fn definition(oid: u32, kind: DefinitionKind) -> Definition {
        Definition { oid, schema: "public".to_owned(), name: format!("t{oid}"), array: 0, kind }
    }

    fn composite(oid: u32, attributes: &[u32]) -> Definition {
        let attributes = attributes.iter().map(|&type_oid| Attribute { name: "a".to_owned(), type_oid }).collect();
        definition(oid, DefinitionKind::Composite { attributes })
    }

    #[test]
    fn what_cannot_be_converted_says_why() {
        let catalogue = Catalogue::new([
            definition(20000, DefinitionKind::Base { send: String::new() }),
            definition(20001, DefinitionKind::Base { send: "strange_send".to_owned() }),
            definition(20002, DefinitionKind::Array { element: 20003, delimiter: b',' }),
            composite(20004, &[23, 2205]),
        ]);
        let error = |oid| catalogue.conversion(oid, None).unwrap_err();
        assert!(error(20000).has_no_binary_form());
        assert!(error(20001).to_string().contains("public.t20001"));
        assert!(error(20002).is_unknown());
        assert_eq!(error(20002).oid(), 20003);
        assert!(error(20004).needs_names());
        assert_eq!(error(20004).oid(), 2205);
        assert!(catalogue.conversion(20004, Some(&Default::default())).is_ok());
        assert!(error(2249).is_anonymous_record());
        assert!(error(2287).is_anonymous_record());
        assert!(error(2281).is_internal());
        assert!(error(2277).is_internal());
        assert!(error(1033).has_no_binary_form());
    }

    #[test]
    fn types_that_hold_themselves_end() {
        let catalogue = Catalogue::new([composite(20000, &[20001]), composite(20001, &[23, 20000])]);
        assert!(catalogue.conversion(20000, None).unwrap_err().to_string().contains("nested too deeply"));
        let domain = definition(20000, DefinitionKind::Domain { base: 20000 });
        assert!(Catalogue::new([domain]).conversion(20000, None).is_err());
    }

    #[test]
    fn many_of_few_types_take_little() {
        // Each holds the one before twice: as a tree there would be 2^100 of them.
        let first = composite(20000, &[23, 23]);
        let rest = (20001..20100).map(|oid| composite(oid, &[oid - 1, oid - 1]));
        assert!(Catalogue::new(std::iter::once(first).chain(rest)).conversion(20099, None).is_ok());
    }

    #[test]
    fn depth_is_bounded_however_it_is_reached() {
        let chain = |count: u32| {
            let rest = (20001..20000 + count).map(|oid| composite(oid, &[oid - 1]));
            let top = composite(30000, &[20000 + count / 2, 20000 + count - 1]);
            Catalogue::new([composite(20000, &[23]), top].into_iter().chain(rest)).conversion(30000, None)
        };
        let limit = u32::try_from(MAX_DEPTH).unwrap();
        assert!(chain(limit - 2).is_ok());
        assert!(chain(limit).is_err());
        assert!(chain(limit + limit / 2).is_err());
    }
}
