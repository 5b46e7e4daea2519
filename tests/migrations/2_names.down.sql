-- no-transaction
drop index concurrently crews_name;
