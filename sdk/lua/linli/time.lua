-- linli.time: instants (integers, ms since 1970) and the community's days.
local core = ...

return {
  parse = core.time_parse,
  format = core.time_format,
  day = core.time_day,
  from_day = core.time_from_day,
  start_of_day = core.time_start_of_day,
  next_midnight = core.time_next_midnight,
  fields = core.time_fields,
}
