create table crews (id serial primary key, name text not null);
insert into crews (name) values ('first; not last');
