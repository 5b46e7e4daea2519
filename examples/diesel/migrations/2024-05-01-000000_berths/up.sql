create table ferry_berths (number integer primary key);
insert into ferry_berths select generate_series(1, 12);
