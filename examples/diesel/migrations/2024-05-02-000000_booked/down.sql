alter table ferry_berths drop booked;
