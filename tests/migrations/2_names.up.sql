-- no-transaction
create index concurrently crews_name on crews (name);
