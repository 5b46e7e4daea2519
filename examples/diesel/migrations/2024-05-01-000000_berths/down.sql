drop table ferry_berths;
