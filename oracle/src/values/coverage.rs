use crate::types::{TypeEntry, TypeKind, Types};

/// Types that hold the server's own data, which it takes from no client.
const INTERNAL: [&str; 9] = [
    "gtsvector",
    "pg_node_tree",
    "pg_ndistinct",
    "pg_dependencies",
    "pg_mcv_list",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "pg_ddl_command",
    "table_am_handler",
];

/// Says why a type need not be converted; `None` where it must be.
pub(super) fn excuse(entry: &TypeEntry, types: &Types) -> Option<String> {
    if INTERNAL.contains(&entry.name.as_str()) {
        return Some(format!("{} is server-internal", entry.name));
    }
    match &entry.kind {
        TypeKind::Base if entry.send.is_empty() => Some(format!("{} has no binary form", entry.name)),
        TypeKind::Pseudo if matches!(entry.name.as_str(), "record" | "_record") => {
            Some("its columns have no names".into())
        }
        // Those that a statement can give or take are converted.
        TypeKind::Pseudo if !matches!(entry.name.as_str(), "void" | "cstring" | "unknown") => {
            Some(format!("{} is a pseudo-type", entry.name))
        }
        _ => entry.parts().iter().filter_map(|&part| excuse(types.get(part)?, types)).next(),
    }
}
