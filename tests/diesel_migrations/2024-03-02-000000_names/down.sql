drop index names;
