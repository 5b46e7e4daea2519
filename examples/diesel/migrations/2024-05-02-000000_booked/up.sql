alter table ferry_berths add booked boolean not null default false;
update ferry_berths set booked = true where number in (3, 7);
