-- test/fake.lua: a plugin without the runtime. For any Lua plugin:
--
--   local world = fake.world { folder = "…/plugins/parking", config = {…} }
--   local status, body, headers = world:request("POST", "/scan-entry",
--       { as = "resident:r1", body = { gate = "g1" } })
--
-- The manifest is the plugin's own: routes, callers, schemas of requests and
-- answers, collections, meters, timers, events and alerts are held to it. A
-- call that fails changes nothing. The clock stands until it is moved.

local civil = require "civil"
local fake_db = require "fake_db"
local fake_money = require "fake_money"
local fake_services = require "fake_services"
local json = require "json"
local schema = require "schema"

local M = {}

local HOST_CALLS_MAX = 1000
local METER_COUNT_DEFAULT = 1000
local WRONG_CODES_MAX = 5
local ZONE_HOURS = 8

M.null = json.null

function M.array(list)
    return setmetatable(list or {}, json.list)
end

-- Read-only, as linli.config is.
local function freeze(value)
    if type(value) ~= "table" or value == json.null then
        return value
    end
    local fields = {}
    for name, member in pairs(value) do
        fields[name] = freeze(member)
    end
    return setmetatable({}, {
        __index = fields,
        __newindex = function(_, name)
            error("the configuration's '" .. tostring(name)
                .. "' cannot be set", 2)
        end,
        __len = function()
            return #fields
        end,
        __pairs = function()
            return next, fields
        end,
    })
end

-- 32 hex digits for an id.
function M.pid(id)
    local hex = id:gsub(".", function(c)
        return string.format("%02x", c:byte())
    end)
    return hex .. string.rep("0", 32 - #hex)
end

-- -- loading --------------------------------------------------------------

local function read_file(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "a"
    file:close()
    return text
end

local manifests = {}

-- Read once: a test opens hundreds of worlds of one plugin.
local function manifest_of(folder)
    manifests[folder] = manifests[folder]
        or json.decode(read_file(folder .. "/plugin.json"))
    return manifests[folder]
end

local function stand_in(world, zone)
    local handlers = world.handlers
    local plugin = {}
    for _, method in ipairs { "get", "post", "put", "patch", "delete" } do
        plugin[method] = function(_, path, handler)
            local name = method:upper() .. " " .. path
            assert(not handlers[name], "two handlers for " .. name)
            handlers[name] = handler
        end
    end
    for _, kind in ipairs { "timer", "event", "job", "answer" } do
        plugin[kind] = function(_, name, handler)
            handlers[kind .. " " .. name] = handler
        end
    end
    function plugin.payment(_, handler)
        handlers.payment = handler
    end
    return {
        paid = function(id)
            return { paid = id }
        end,
        money = fake_money,
        second = 1000, minute = 60000, hour = 3600000, day = 86400000,
        config = freeze(world.config), null = json.null, array = M.array,
        plugin = function()
            return plugin
        end,
        time = { parse = civil.parse, format = zone.format, day = zone.day,
            next_midnight = zone.next_midnight, from_day = zone.from_day,
            fields = zone.fields },
        log = { debug = print, info = print, warn = print, error = print },
    }
end

-- Every declared route, timer, event, job and answer has a handler, and no
-- other.
local function check_handlers(world)
    local declared = {}
    for _, route in ipairs(world.manifest.routes) do
        if not route.feed then
            declared[route.method .. " " .. route.path] = true
        end
    end
    for _, name in ipairs(world.manifest.timers or {}) do
        declared["timer " .. name] = true
    end
    for _, name in ipairs(world.manifest.jobs or {}) do
        declared["job " .. name] = true
    end
    for _, name in ipairs(world.manifest.answers or {}) do
        declared["answer " .. name] = true
    end
    declared.payment = world.manifest.payments
    local events = world.manifest.events or {}
    for _, name in ipairs(events.handles or {}) do
        declared["event " .. name] = true
    end
    for name in pairs(declared) do
        assert(world.handlers[name], "no handler for " .. name)
    end
    for name in pairs(world.handlers) do
        assert(declared[name], "not declared: " .. name)
    end
end

local plugins_modules = {}

-- Runs the main file as in a fresh state.
local function load(world, zone)
    for name in pairs(plugins_modules) do
        package.loaded[name] = nil
    end
    plugins_modules = { linli = true }
    package.preload.linli = function()
        return stand_in(world, zone)
    end
    package.loaded.linli = nil
    local before = {}
    for name in pairs(package.loaded) do
        before[name] = true
    end
    local path = package.path
    package.path = world.folder .. "/?.lua;" .. path
    local main = world.manifest.main:gsub("%.lua$", "")
    local ok, why = pcall(require, main)
    package.path = path
    for name in pairs(package.loaded) do
        if not before[name] then
            plugins_modules[name] = true
        end
    end
    assert(ok, why)
    check_handlers(world)
end

-- -- a call ---------------------------------------------------------------

local function listed(list, name)
    for _, item in ipairs(list or {}) do
        if item == name then
            return true
        end
    end
    return false
end

local function undeclared(what, name)
    error("db/undeclared: " .. what .. " " .. tostring(name), 0)
end

-- A host call: counted, and refused where the route may not write.
local function spend(state, writes)
    state.calls = state.calls + 1
    assert(state.calls <= HOST_CALLS_MAX, "more than 1000 host calls")
    if writes and state.read_only then
        error("db/read-only", 0)
    end
end

local function db_of(world, state)
    return setmetatable({}, { __index = function(_, name)
        local collection = world.db.collections[name]
            or undeclared("collection", name)
        return setmetatable({}, { __index = function(_, operation)
            return function(_, ...)
                spend(state, fake_db.WRITES[operation])
                return collection[operation](collection, ...)
            end
        end })
    end })
end

local METER_BEFORE_MS, METER_AFTER_MS = 72 * 3600000, 5 * 60000

local function meter(world, state, name, quantity, options)
    local rule = (world.manifest.meters or {})[name]
        or undeclared("meter", name)
    local at = options and options.at or world.now
    assert(at >= world.now - METER_BEFORE_MS
        and at <= world.now + METER_AFTER_MS, "db/limit: meter's at")
    assert(math.type(quantity) == "integer" and quantity > 0, "db/limit")
    state.metered[name] = (state.metered[name] or 0) + quantity
    assert(state.metered[name] <= (rule.max_per_call or METER_COUNT_DEFAULT),
        "db/limit: meter " .. name)
    local id = options and options.event_id
    for _, usage in ipairs(world.meters) do
        if id and usage.name == name and usage.event_id == id then
            return "duplicate"
        end
    end
    table.insert(world.meters, { name = name, quantity = quantity,
        event_id = id, at = at })
    return "recorded"
end

local function add_timer(world, timer)
    assert(listed(world.manifest.timers, timer.run), "db/undeclared: timer")
    assert(math.type(timer.at) == "integer", "a timer's `at`")
    local key = timer.key or world.db:new_id()
    world.timers[key] = { at = timer.at, run = timer.run,
        with = fake_db.copy(timer.with), key = key }
    return key
end

-- What residents' fields hold. Of `plate` it is the caller's household's; the
-- host has no other. {value} or {nil, code}.
local function read_field(world, call, ask)
    local declared
    for _, use in ipairs(world.manifest.data or {}) do
        declared = declared or use.field == ask.field
            and use.purpose == ask.purpose and use.basis
    end
    assert(declared, "consent/not-declared: " .. ask.field)
    local name = ask.field .. ":" .. ask.purpose
    if world.withheld[name] then
        return nil, "consent/denied"
    elseif declared ~= "contract" and not world.agreed[name] then
        return nil, "consent/required"
    elseif ask.field ~= "plate" or not call.resident then
        return nil, "consent/no-data"
    end
    local plates = world.residents[call.caller.id]
    if not plates then
        return nil, "consent/no-data"
    end
    return M.array(table.move(plates, 1, #plates, 1, {}))
end

-- call:timer, call:event and their like.
local function add_methods(world, call, state)
    function call.fail(_, code, detail)
        error({ problem = world.manifest.problems[code]
            or error("undeclared problem " .. code, 0), code = code,
            detail = detail })
    end
    function call.timer(_, timer)
        spend(state, true)
        return add_timer(world, timer)
    end
    function call.cancel(_, key)
        spend(state, true)
        local there = world.timers[key] ~= nil
        world.timers[key] = nil
        return there
    end
    function call.event(_, kind, data, options)
        spend(state, true)
        if not listed(world.manifest.events.publishes, kind) then
            undeclared("event", kind)
        end
        table.insert(world.events, { type = kind, at = world.now,
            data = fake_db.copy(data), subject = (options or {}).subject })
    end
    function call.meter(_, ...)
        spend(state, true)
        return meter(world, state, ...)
    end
    fake_services.add_methods(world, call, function(writes)
        spend(state, writes)
    end)
    call.data = { get = function(_, ask)
        spend(state, false)
        local value, code = read_field(world, call, ask)
        return value, code and { code = code } or nil
    end }
    function call.try_code(_, name, given, expected)
        spend(state, false)
        local wrong = world.wrong_codes[name] or 0
        if wrong >= WRONG_CODES_MAX then
            return "locked"
        elseif given == expected then
            world.wrong_codes[name] = nil
            return "ok"
        end
        world.wrong_codes[name] = wrong + 1
        return "wrong"
    end
    function call.alert(_, kind, data)
        spend(state, true)
        if not listed(world.manifest.alerts, kind) then
            undeclared("alert", kind)
        end
        table.insert(world.alerts, { kind = kind,
            data = fake_db.copy(data) })
    end
end

local function list_copy(list)
    return table.move(list, 1, #list, 1, {})
end

local function table_copy(map)
    local result = {}
    for name, value in pairs(map) do
        result[name] = value
    end
    return result
end

-- Runs the handler as one transaction: what pcall gives.
local function transaction(world, call, handler, ...)
    local state = { calls = 0, metered = {}, read_only = call.read_only }
    local docs, timers = world.db:snapshot(), table_copy(world.timers)
    local events, meters, alerts = list_copy(world.events),
        list_copy(world.meters), list_copy(world.alerts)
    local services = fake_services.snapshot(world)
    call.db = db_of(world, state)
    add_methods(world, call, state)
    local result = table.pack(pcall(handler, call, ...))
    world.host_calls = state.calls
    if not result[1] then
        world.db:restore(docs)
        world.timers, world.events = timers, events
        world.meters, world.alerts = meters, alerts
        fake_services.restore(world, services)
    end
    return table.unpack(result, 1, result.n)
end

-- -- requests -------------------------------------------------------------

local function match(pattern, path)
    local params, names = {}, {}
    local lua = pattern:gsub("[%-%.]", "%%%0"):gsub(":([%l_%d]+)",
        function(name)
            names[#names + 1] = name
            return "([^/]+)"
        end)
    local found = table.pack(path:match("^" .. lua .. "$"))
    if not found[1] then
        return nil
    end
    for i, name in ipairs(names) do
        params[name] = found[i]
    end
    return params
end

local function route_of(world, method, path)
    for _, route in ipairs(world.manifest.routes) do
        local params = route.method == method and match(route.path, path)
        if params then
            return route, params
        end
    end
    error("no route " .. method .. " " .. path, 0)
end

-- "resident:r1", "device:g1" (bound to g1), "operator:o1" …
local function add_caller(world, call, as)
    local kind, id = as:match("^(%l+):(.+)$")
    call.caller = { kind = kind, id = id, roles = {} }
    if kind == "device" then
        call.caller.id, call.caller.bound_to = "camera-" .. id, id
        call.caller.device_kind = "gate"
        call.caller.roles = M.array()
    elseif kind == "staff" then
        call.caller.roles = M.array(world.roles[id] or {})
    elseif kind == "resident" then
        call.resident = { id = M.pid(id),
            household = world.residents[id] and M.pid("home of " .. id) }
    end
end

-- The route's `data` travels with the call: the code of a field that it needs
-- and does not get.
local function add_fields(world, call, route)
    call.fields = {}
    for _, use in ipairs(call.resident and route.data or {}) do
        local value, code = read_field(world, call, use)
        call.fields[use.field] = value
        if use.required and not value and code ~= "consent/no-data" then
            return code
        end
    end
end

-- What the host checks before a handler is called: status and code of a
-- refusal.
local function refuse(route, call, body)
    if not listed(route.caller, call.caller.kind) then
        return 403, "auth/caller"
    elseif route.bound
        and call.params[route.bound] ~= call.caller.bound_to then
        return 404, "request/not-found"
    elseif route.request then
        local why = schema.judge(body, route.request)
        if why then
            return 422, "request/invalid", why
        end
    end
end

local function check_answer(route, status, body)
    assert(math.type(status) == "integer", "the status is no integer")
    local why = status < 300 and route.response
        and schema.judge(fake_db.copy(body), route.response)
    if why then
        error(string.format("%s %s answers %s", route.method, route.path,
            why), 0)
    end
end

local World = {}
World.__index = World

-- Why a handler did not answer, if it said so by call:fail.
local function problem_of(failed)
    if type(failed) ~= "table" or not failed.problem then
        error(failed, 0)
    end
    return failed.problem.status, failed.code, failed.detail
end

-- The second step of a handler that awaits a payment: the provider is asked
-- when the first is committed.
local function await(world, call, asked)
    local told = fake_db.copy(fake_services.create(world, asked.awaits.paid))
    return transaction(world, call, world.handlers["answer " .. asked.step],
        told, asked.state)
end

-- Calls a route. Options: as, body, query, if_match, late.
-- Returns status, body and headers; of a problem status, code and detail.
function World:request(method, path, options)
    local route, params = route_of(self, method, path)
    local call = { params = params, query = options.query or {},
        body = options.body and fake_db.copy(options.body),
        if_match = options.if_match, late = options.late or false,
        now = self.now, kind = "request", path = path, locale = "zh-CN",
        zone = "Asia/Shanghai", read_only = route.safe or method == "GET" }
    add_caller(self, call, options.as)
    local refused, code, why = refuse(route, call, call.body)
    if refused then
        return refused, code, why
    end
    local denied = add_fields(self, call, route)
    if denied then
        return 403, denied
    end
    local ok, status, body, headers =
        transaction(self, call, self.handlers[method .. " " .. route.path])
    if ok and type(status) == "table" and status.awaits then
        ok, status, body, headers = await(self, call, status)
    end
    self:settle()
    if not ok then
        return problem_of(status)
    end
    check_answer(route, status, body)
    return status, body and fake_db.copy(body), headers or {}
end

-- A call that the host makes: a timer, a job, what became of a payment.
function World:system(kind, handler, with, due)
    local call = { now = self.now, due = due, kind = kind, fields = {},
        caller = { kind = "system", id = "", roles = {} } }
    local ok, why = transaction(self, call, self.handlers[handler], with)
    if not ok then
        error(why, 0)
    end
end

local function earliest(list, until_ms)
    local first
    for _, item in pairs(list) do
        if item.at <= until_ms and (not first or item.at < first.at
            or item.at == first.at and item.key < first.key) then
            first = item
        end
    end
    return first
end

-- Payments expire, jobs and timers run, in this order at one instant.
local function run_next(world, until_ms)
    local payment = fake_services.next_expiry(world, until_ms)
    local job = earliest(world.jobs, until_ms)
    local timer = earliest(world.timers, until_ms)
    local at = math.min(payment and payment.pay_by or math.maxinteger,
        job and job.at or math.maxinteger,
        timer and timer.at or math.maxinteger)
    world.now = math.max(world.now, at ~= math.maxinteger and at or 0)
    if payment and payment.pay_by == at then
        fake_services.expire(world, payment.id)
    elseif job and job.at == at then
        world.jobs[job.key] = nil
        world:system("job", "job " .. job.run, job.with)
    elseif timer then
        world.timers[timer.key] = nil
        world:system("timer", "timer " .. timer.run, timer.with, timer.at)
    end
    return payment or job or timer
end

-- Does what is due: providers are asked, jobs run.
function World:settle()
    for id in pairs(self.payments) do
        fake_services.create(self, id)
    end
    local job = earliest(self.jobs, self.now)
    while job do
        self.jobs[job.key] = nil
        self:system("job", "job " .. job.run, job.with)
        job = earliest(self.jobs, self.now)
    end
end

-- Moves the clock, and does what becomes due on the way.
function World:advance(ms)
    local target = self.now + ms
    while run_next(self, target) do
        self:settle()
    end
    self.now = target
end

-- How much a meter has counted.
function World:metered(name)
    local sum = 0
    for _, usage in ipairs(self.meters) do
        sum = sum + (usage.name == name and usage.quantity or 0)
    end
    return sum
end

for name, method in pairs(fake_services.methods) do
    World[name] = method
end

-- Options: folder, config, now (RFC 3339), residents {id = {plate, …}}, roles
-- of staff {id = {role, …}}. Who is no resident here has no household.
-- world.agreed["FIELD:PURPOSE"] is a consent, world.withheld an objection.
function M.world(options)
    local world = setmetatable({
        folder = options.folder,
        manifest = manifest_of(options.folder),
        config = options.config or {},
        residents = options.residents or {}, roles = options.roles or {},
        wrong_codes = {}, agreed = {}, withheld = {},
        now = civil.parse(options.now or "2026-03-02T09:00:00+08:00"),
        handlers = {}, timers = {}, events = {}, meters = {}, alerts = {},
    }, World)
    world.db = fake_db.new(world.manifest)
    fake_services.begin(world)
    load(world, civil.fixed(ZONE_HOURS))
    return world
end

return M
