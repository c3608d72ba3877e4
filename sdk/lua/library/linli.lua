---@meta linli
-- Types of linli for LuaCATS (lua-language-server): add this folder to
-- `workspace.library`. Never run. spec/lua.md is normative.

---JSON's null. True in a condition: compare with it.
---@class linli.Null: userdata

---@alias linli.Json nil|boolean|integer|number|string|table|linli.Null

---@class linli.Caller
---@field kind "resident"|"staff"|"operator"|"app"|"device"
---@field id string
---@field roles string[]

---@class linli.Resident
---@field id string this plugin's name for the resident, in this community

---Operations of the host; each waits for its answer. What the operator does
---not allow is nil.
---@class linli.Host
---@field probe_echo? fun(value: linli.Json): linli.Json draft: the value comes back
---@field probe_wait? fun(ms: integer) draft: returns after 0 to 10 000 ms

---@class linli.Call
---@field body? any the decoded body, checked against the route's schema
---@field params table<string, string> path parameters, decoded
---@field query table<string, string> each name once, decoded
---@field path string below the plugin, as sent
---@field now integer ms since 1970; does not move during the call
---@field caller linli.Caller
---@field resident? linli.Resident if the caller is one
---@field locale "zh-CN"|"en"
---@field zone string IANA name of the community's zone
---@field trace_id string 32 hex digits
---@field host linli.Host
local Call = {}

---Ends the call with a problem that plugin.json declares; what it wrote is
---rolled back. Does not return, and no pcall sees it.
---@param code string "parking/slot-taken"
---@param detail? string for the caller, at most 255 bytes
---@return never
function Call:fail(code, detail) end

---@alias linli.Handler fun(call: linli.Call): integer, linli.Json?

---@class linli.Plugin
local Plugin = {}

---@param path string as in plugin.json
---@param handler linli.Handler
function Plugin:get(path, handler) end

---@param path string as in plugin.json
---@param handler linli.Handler
function Plugin:post(path, handler) end

---@param path string as in plugin.json
---@param handler linli.Handler
function Plugin:put(path, handler) end

---@param path string as in plugin.json
---@param handler linli.Handler
function Plugin:patch(path, handler) end

---@param path string as in plugin.json
---@param handler linli.Handler
function Plugin:delete(path, handler) end

---@class linli.json
local json = {}

---Keys bytewise ascending; an error names the place of what has no JSON.
---@param value linli.Json
---@return string
function json.encode(value) end

---@param text string
---@return linli.Json value nil if it is no JSON
---@return string? why
function json.decode(text) end

---@class linli.Fields
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field minute integer
---@field second integer
---@field millisecond integer
---@field weekday integer Monday is 1

---Instants are integers, ms since 1970; days are the community's.
---@class linli.time
local time = {}

---Strict RFC 3339 with offset.
---@param text string "2026-03-02T09:00:00+08:00"
---@return integer? ms
---@return string? why
function time.parse(text) end

---@param ms integer
---@param zone? "community"|"utc"
---@return string
function time.format(ms, zone) end

---@param ms integer
---@return string date "2026-03-02"
function time.day(ms) end

---@param date string "2026-03-02"
---@return integer? ms when it starts
---@return string? why
function time.from_day(date) end

---@param ms integer
---@return integer
function time.start_of_day(ms) end

---@param ms integer
---@return integer
function time.next_midnight(ms) end

---@param ms integer
---@return linli.Fields
function time.fields(ms) end

---@alias linli.Rounding "floor"|"ceil"|"half_up"|"half_even"

---Exact arithmetic on integers.
---@class linli.money
local money = {}

---a * b / c, exact before it is rounded.
---@param a integer
---@param b integer
---@param c integer
---@param rounding linli.Rounding
---@return integer
function money.mul_div(a, b, c, rounding) end

---@param amount integer
---@param basis_points integer ten-thousandths
---@param rounding? linli.Rounding "floor" if not given
---@return integer
function money.bp(amount, basis_points, rounding) end

---@param ... integer
---@return integer
function money.add(...) end

---@param list integer[]
---@return integer
function money.sum(list) end

---Parts in proportion to the weights that sum exactly to the total.
---@param total integer
---@param weights integer[] 0 or more, not all 0
---@return integer[]
function money.split(total, weights) end

---@class linli.log
local log = {}

---@param text any
function log.debug(text) end

---@param text any
function log.info(text) end

---@param text any
function log.warn(text) end

---@param text any
function log.error(text) end

---@class linli
---@field second integer 1000
---@field minute integer
---@field hour integer
---@field day integer
---@field null linli.Null
---@field config any the operator's configuration, read-only
---@field json linli.json
---@field time linli.time
---@field money linli.money
---@field log linli.log
local linli = {}

---The object that takes the handlers; return it from the main file.
---@return linli.Plugin
function linli.plugin() end

---Marks a table as a list, so that an empty one is written as [].
---@generic T: table
---@param list? T
---@return T
function linli.array(list) end

---Functions of the typed library that plugin.json declares.
---@type table<string, fun(...: integer|number|string): integer|number|string|nil>
native = {}

return linli
