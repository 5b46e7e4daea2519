create table crews (id bigint primary key, name text not null);
