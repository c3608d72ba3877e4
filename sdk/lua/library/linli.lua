---@meta linli
-- Types of linli for LuaCATS (lua-language-server): add this folder to
-- `workspace.library`. Never run. spec/lua.md is normative.

---JSON's null. True in a condition: compare with it.
---@class linli.Null: userdata

---@alias linli.Json nil|boolean|integer|number|string|table|linli.Null

---@class linli.Caller
---@field kind "resident"|"staff"|"operator"|"app"|"device"|"system"
---@field id string
---@field roles string[]
---@field bound_to? string of a device: what it belongs to, a gate's id
---@field device_kind? string of a device

---@class linli.Resident
---@field id string this plugin's name for the resident, in this community
---@field household? string its name for the household; with `directory`

---A JSON object of a collection; `id` is its own member.
---@alias linli.Document table<string, any>

---What count asks for. Without `index`, all documents. No list is empty.
---@class linli.Range
---@field index? string one that plugin.json declares
---@field eq? any[] values of the index's first fields
---@field from? any[] bounds of the fields after `eq`, inclusive
---@field to? any[] the same, exclusive

---What list asks for. Without `index`, all documents by id.
---@class linli.Query: linli.Range
---@field descending? boolean
---@field limit? integer 1 to 100; 50 if not given
---@field cursor? string of the page before, unchanged

---@class linli.Collection
local Collection = {}

---@param id string
---@return linli.Document? document nil if there is none
function Collection:get(id) end

---@param document linli.Document an id is made if it has none
---@return linli.Document? document as stored
---@return "exists"? why
---@return string? index that already has it; "" for the id
function Collection:insert(document) end

---Replaces the document of this id, or makes it.
---@param document linli.Document
---@return linli.Document? document as stored
---@return "exists"? why
---@return string? index
function Collection:put(document) end

---@param id string
---@param changes table<string, any> members to set; linli.null takes one out
---@return linli.Document? document as stored
---@return "not-found"|"exists"? why
---@return string? index
function Collection:patch(id, changes) end

---@param id string
---@return boolean was_there
function Collection:delete(id) end

---The first document whose first fields of the index are these.
---@param index string
---@param ... boolean|integer|string|linli.Null
---@return linli.Document?
function Collection:find(index, ...) end

---@param query? linli.Query
---@return linli.Document[] items
---@return string? next_cursor nil at the end
function Collection:list(query) end

---@param query? linli.Range
---@return integer
function Collection:count(query) end

---The first document whose interval meets [from, to): the last two arguments,
---after the values of the index's fields.
---@param index string
---@param ... boolean|integer|string
---@return linli.Document?
function Collection:overlaps(index, ...) end

---All of them.
---@param index string
---@param ... boolean|integer|string
---@return linli.Document[]
function Collection:overlapping(index, ...) end

---Operations of the host; each waits for its answer. What the operator does
---not allow is nil.
---@class linli.Host
---@field probe_echo? fun(value: linli.Json): linli.Json draft: the value comes back
---@field probe_wait? fun(ms: integer) draft: returns after 0 to 10 000 ms

---@class linli.Refused why a value is not given
---@field code string "consent/required", "consent/withdrawn" ...
---@field reason string which of them: "no_grant"
---@field consent_url? string where the resident can be asked
---@field fields string[]

---@class linli.Data
local Data = {}

---A value of a resident, if it may be given: plugin.json declares the field
---for that purpose. Asked anew each time.
---@param what {resident?: string, field: string, purpose: string} resident: whom this call is about, if absent
---@return any value nil if it is not given
---@return linli.Refused? why
function Data:get(what) end

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
---@field kind "request"|"timer"|"event"|"job"|"answer"|"payment"
---@field due? integer of a timer and a job: when it was due, ms since 1970
---@field late boolean a device sent it later than it happened
---@field if_match? string the header If-Match, without its quotes
---@field fields table<string, any> what the route's `data` is given of the caller
---@field db table<string, linli.Collection> those of plugin.json
---@field data linli.Data what residents' fields hold
---@field host linli.Host
local Call = {}

---Ends the call with a problem that plugin.json declares; what it wrote is
---rolled back. Does not return, and no pcall sees it.
---@param code string "parking/slot-taken"
---@param detail? string for the caller, at most 255 bytes
---@return never
function Call:fail(code, detail) end

---@class linli.Timer
---@field at integer ms since 1970
---@field run string a timer of plugin.json
---@field with? linli.Json what its handler is given; {} if nothing
---@field key? string replaces the timer of the same key
---@field subject? string the resident it is about

---Runs a handler at a time, once, if this call commits.
---@param timer linli.Timer
---@return string key for cancel
function Call:timer(timer) end

---@class linli.Job
---@field run string a job of plugin.json
---@field with? linli.Json what its handler is given; {} if nothing
---@field at? integer ms since 1970; at once if it is absent
---@field key? string replaces the job of the same key
---@field subject? string the resident it is about

---Runs a handler in a call of its own, once, if this call commits.
---@param job linli.Job
---@return string key for cancel
function Call:job(job) end

---@class linli.Awaited made by linli.fetch or linli.paid

---Ends this step: `return call:await(...)`. When the answer is there, the
---handler of `next` goes on in a call of its own.
---@param what linli.Awaited
---@param next string an answer of plugin.json
---@param state? linli.Json what its handler is given; {} if nothing
---@return integer status to be returned, and nothing else
function Call:await(what, next, state) end

---@class linli.PaymentAsked
---@field amount_fen integer 1 to 10 000 000 000
---@field title string for who pays, at most 127 bytes
---@field channel string "wechat": the operator has named its adapter
---@field pay_by? integer ms since 1970; 15 minutes from now if it is absent
---@field subject? string the resident it is about
---@field with? linli.Json the plugin's own, comes back to p:payment

---@class linli.Refund
---@field id string
---@field state "pending"|"done"|"failed"
---@field amount_fen integer
---@field automatic boolean of a transaction that did not pay
---@field reason? string
---@field key? string

---@class linli.Payment
---@field id string
---@field state "creating"|"pending"|"flagged"|"paid"|"partially_refunded"|"refunded"|"expired"|"failed"
---@field amount_fen integer
---@field paid_fen integer
---@field refunded_fen integer of what was asked for
---@field flagged boolean a wrong sum is held for the operator
---@field title string
---@field channel string
---@field subject? string
---@field created integer ms since 1970
---@field pay_by integer ms since 1970
---@field paid_at? integer ms since 1970
---@field with? any
---@field pay_params? table what who pays needs
---@field refund_id? string the refund that p:payment is called for
---@field refunds linli.Refund[]

---Asks for money, if this call commits.
---@param payment linli.PaymentAsked
---@return linli.Payment
function Call:pay(payment) end

---Gives back some of what was paid, if this call commits.
---@param refund {payment: string, amount_fen: integer, reason?: string, key?: string}
---@return {id: string, payment: string, state: string, amount_fen: integer}
function Call:refund(refund) end

---@param id string
---@return linli.Payment?
function Call:payment(id) end

---@param key string
---@return boolean was_there
function Call:cancel(key) end

---Publishes an event, if this call commits.
---@param type string one that plugin.json publishes
---@param data linli.Json
---@param options? {subject?: string}
function Call:event(type, data, options) end

---Counts usage, if this call commits.
---@param name string a meter of plugin.json
---@param quantity integer units
---@param options? {event_id?: string, at?: integer, reverses?: string}
---@return "recorded"|"duplicate"
function Call:meter(name, quantity, options) end

---Tells the operator, if this call commits.
---@param kind string an alert of plugin.json
---@param data linli.Json
---@param options? {subject?: string}
function Call:alert(kind, data, options) end

---@class linli.Message
---@field to string a resident's id, as call.resident.id is
---@field template string a notification of plugin.json
---@field with? table<string, string|integer> a value for each place of its text
---@field key? string one message, however often it is sent
---@field locale? "zh-CN"|"en" the resident's own if absent

---Sends a message to a resident, if this call commits.
---@param message linli.Message
---@return string id
function Call:notify(message) end

---Compares a code that somebody gave; the tries are counted whatever becomes
---of the call.
---@param name string what is tried, "door:b1"
---@param given string
---@param expected string
---@return "ok"|"wrong"|"locked"
function Call:try_code(name, given, expected) end

---Signs a text with a secret that the operator has set. Changes nothing.
---@param what {secret: string, text: string, algorithm?: "hmac-sha256"}
---@return string # lower-case hexadecimal digits
function Call:sign(what) end

---@class linli.Headers
---@field etag? string 1 to 64 visible ASCII characters, no quotes, no backslash

---@alias linli.Handler fun(call: linli.Call): integer, linli.Json?, linli.Headers?

---@class linli.Event
---@field seq integer
---@field type string
---@field plugin string
---@field at integer ms since 1970
---@field data any

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

---@param name string a timer of plugin.json
---@param handler fun(call: linli.Call, with: any)
function Plugin:timer(name, handler) end

---@param name string a job of plugin.json
---@param handler fun(call: linli.Call, with: any)
function Plugin:job(name, handler) end

---Called by the host for a resident's rights; again until it returns.
---@param name "resident.export"|"resident.redact"|"resident.consent_revoked"|"tenant.uninstall" one of `compliance` in plugin.json
---@param handler fun(call: linli.Call, with: any): any
function Plugin:compliance(name, handler) end

---Returns what a request's handler does if a request waits, else nothing.
---@param name string an answer of plugin.json
---@param handler fun(call: linli.Call, answer: any, state: any): integer?, linli.Json?, linli.Headers?
function Plugin:answer(name, handler) end

---Called when a payment was paid, has expired or failed, or a refund that was
---asked for is done or failed.
---@param handler fun(call: linli.Call, payment: linli.Payment)
function Plugin:payment(handler) end

---@param type string an event that plugin.json handles
---@param handler fun(call: linli.Call, event: linli.Event)
function Plugin:event(type, handler) end

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

---@class linli.Request
---@field url string of a host that plugin.json declares under `egress`
---@field method? "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE" GET if absent
---@field headers? table<string, string> a value may hold {{secret:name}}
---@field json? linli.Json the body, written as JSON
---@field body? string the body as it is
---@field timeout_ms? integer in all, 1000 to 60000; 10000 if absent
---@field max_bytes? integer of the answer's body, at most 262144; 65536 if absent

---What `p:answer` is given for a request.
---@class linli.Fetched
---@field ok boolean whether there was an answer, whatever its status
---@field status? integer
---@field headers? table<string, string> names in small letters
---@field body? string absent if it is no UTF-8
---@field body64? string then the bytes as base64url
---@field json? linli.Json the body read, if it says that it is JSON and is
---@field error? string if not ok: "egress/timeout", see spec/problems.md
---@field detail? string and why

---A request to another server, for call:await. Sends nothing itself.
---@param request linli.Request
---@return linli.Awaited
function linli.fetch(request) end

---Marks a table as a list, so that an empty one is written as [].
---@generic T: table
---@param list? T
---@return T
function linli.array(list) end

---Stands for a secret's value, in the value of a fetch's header.
---@param name string a secret of plugin.json
---@return string
function linli.secret(name) end

---Functions of the typed library that plugin.json declares.
---@type table<string, fun(...: integer|number|string): integer|number|string|nil>
native = {}

return linli
