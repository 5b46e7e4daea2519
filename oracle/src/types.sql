select t.oid,
       n.nspname,
       t.typname,
       format('%I.%I', n.nspname, t.typname),
       t.typarray,
       t.typdelim,
       coalesce(send.proname, ''),
       case when t.typtype <> 'p' and t.typinput = 'pg_catalog.array_in'::regproc then 'array' else t.typtype::text end,
       case t.typtype
           when 'd' then t.typbasetype
           when 'r' then (select rngsubtype from pg_range where rngtypid = t.oid)
           when 'm' then (select rngtypid from pg_range where rngmultitypid = t.oid)
           else t.typelem
       end,
       case t.typtype
           when 'e' then (select string_agg(enumlabel, e'\x01' order by enumsortorder) from pg_enum where enumtypid = t.oid)
           when 'c' then (select string_agg(atttypid || ' ' || attname, e'\x01' order by attnum)
                          from pg_attribute
                          where attrelid = t.typrelid and attnum > 0 and not attisdropped)
       end,
       case when c.relkind <> 'c' then format('%I.%I', n.nspname, c.relname) end
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_proc send on send.oid = t.typsend
left join pg_class c on c.oid = t.typrelid
where t.typisdefined and n.nspname !~ '^pg_(toast|temp)'
order by t.oid
