-- The settings, compared with settings.out. None of them changes a number; each is anybody's to set.
SELECT ltv.version() IS NOT NULL;
SELECT name, vartype, context, boot_val, coalesce(unit, ''), min_val, max_val FROM pg_settings WHERE name LIKE 'ltv.%' ORDER BY name COLLATE "C";
