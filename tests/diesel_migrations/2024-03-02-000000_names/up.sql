create unique index names on crews (name);
