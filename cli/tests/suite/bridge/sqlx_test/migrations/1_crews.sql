create type mood as enum ('sad', 'ok');
create table crews (id serial primary key, name text not null, mood mood not null default 'sad');
