-- What a group of rows is called: every value by another name.

CREATE FUNCTION ltv.segment_label(value text, is_one_of_several boolean DEFAULT false) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- Bytes are compared, whatever the column's collation takes for the same.
    RETURN CASE WHEN value IS NULL THEN '(null)'
                WHEN value COLLATE "C" = '(null)' OR starts_with(value COLLATE "C", '"')
                     OR CASE WHEN is_one_of_several THEN strpos(value COLLATE "C", ' / ') > 0 OR right(value COLLATE "C", 2) = ' /' ELSE value COLLATE "C" = 'all' END
                THEN '"' || replace(value COLLATE "C", '"', '""') || '"'
                ELSE value END;
COMMENT ON FUNCTION ltv.segment_label(text, boolean) IS 'The name by which evaluate, drift and their like call the rows that have this value in a column of by: the value itself, (null) for NULL. A value that would be taken for something else stands in double quotes, those in it doubled: (null), all (the name of the row of all together) and whatever begins with a double quote; with is_one_of_several, where the names of several columns are joined by " / ", one with " / " in it or " /" at its end, but then not all. So two values never have one name, nor two rows of values.';
