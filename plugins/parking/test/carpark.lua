-- test/carpark.lua: a car park to tell stories about: lot p1 with an entry
-- gate g1 and an exit gate g2, a second entry g3, lot p2 with a gate g9 for
-- both. It is 2026-03-02 09:00; times of a story are "HH:MM" or "HH:MM:SS"
-- of that day.
--
-- First hour 5.00, then 2.00 each half hour, 30 minutes free, 30.00 a day;
-- a lost entry costs 50.00. Who has paid has 15 minutes to leave.
--
-- A pass for two cars costs 300.00 a month. Space A01 of lot p1 is wang's; of
-- what a booking brings owners get 70 %.

local civil = require "civil"
local fake = require "fake"
local tap = require "tap"

local M = {}

local DAY = "2026-03-02"

M.TARIFF = {
    free_minutes = 30,
    first = { minutes = 60, fee_fen = 500 },
    next = { minutes = 30, fee_fen = 200 },
    cap = { fee_fen = 3000, window = "calendar_day" },
    lost_fee_fen = 5000,
    special_plates = { "警" },
}

local CONFIG = {
    lots = {
        p1 = { name = "地下一层", tariff = M.TARIFF },
        p2 = { name = "地面", tariff = M.TARIFF },
    },
    gates = {
        g1 = { lot = "p1", direction = "entry" },
        g2 = { lot = "p1", direction = "exit" },
        g3 = { lot = "p1", direction = "entry" },
        g9 = { lot = "p2" },
    },
    passes = {
        monthly = { name = "月卡", fee_fen = 30000, months = 1,
            plates_max = 2, grace_days = 3 },
    },
    spaces = {
        A01 = { lot = "p1", plates = { "沪A12345" } },
    },
    shares = { owner_share_bp = 7000 },
}
M.CONFIG = CONFIG

M.CAR = "沪A12345"
M.OTHER = "沪B67890"

-- Also "2026-03-05 09:00", of another day.
function M.text(time)
    local day, clock = time:match "^(%d+%-%d+%-%d+) (.+)$"
    if day then
        return day .. M.text(clock):sub(11)
    elseif #time == 5 then
        time = time .. ":00"
    end
    return DAY .. "T" .. time .. "+08:00"
end

function M.instant(time)
    return civil.parse(M.text(time))
end

local Park = {}
Park.__index = Park

function M.open(folder, config)
    local world = fake.world { folder = folder, config = config or CONFIG,
        residents = { wang = { M.CAR }, li = { M.OTHER } },
        roles = { cafe = { "merchant" } } }
    return setmetatable({ world = world, events = 0 }, Park)
end

-- Moves the clock to a time of the day.
function Park:at(time)
    self.world:advance(M.instant(time) - self.world.now)
end

-- A request that must succeed: its body.
function Park:ok(method, path, options)
    local status, body, detail = self.world:request(method, path, options)
    if status >= 300 then
        error(string.format("%s %s: %d %s %s", method, path, status,
            tostring(body), tostring(detail)), 2)
    end
    return body, status
end

-- A request that must be refused with this status and code.
function Park:refused(status, code, method, path, options)
    local got, got_code = self.world:request(method, path, options)
    tap.equal(got, status, "status of " .. path)
    tap.equal(got_code, code, "code of " .. path)
end

-- What a camera sends; a new event_id unless told.
function Park:event(kind, plate, time, change)
    self.events = self.events + 1
    local event = { event_id = "e" .. self.events, kind = kind,
        plate = plate, plate_type = "blue", confidence = 99,
        captured_at = M.text(time) }
    for name, value in pairs(change or {}) do
        event[name] = value
    end
    return event
end

function Park:send(gate, event, late)
    return self:ok("POST", "/gates/" .. gate .. "/events",
        { as = "device:" .. gate, body = event, late = late })
end

-- A car at the entry or the exit, at that time by the gate's clock and ours.
function Park:enter(plate, time, gate)
    self:at(time)
    return self:send(gate or "g1", self:event("entry", plate, time))
end

function Park:exit(plate, time, gate)
    self:at(time)
    return self:send(gate or "g2", self:event("exit", plate, time))
end

-- Events of the time without a network.
function Park:replay(gate, events)
    return self:ok("POST", "/gates/" .. gate .. "/replay",
        { as = "device:" .. gate, body = { events = events } })
end

-- A session as the operator sees it.
function Park:session(id)
    return self:ok("GET", "/sessions/" .. id, { as = "operator:o1" })
end

function Park:sessions(query)
    return self:ok("GET", "/sessions",
        { as = "operator:o1", query = query }).items
end

function Park:arrears(plate)
    return self:ok("GET", "/arrears",
        { as = "operator:o1", query = { plate = plate } }).items
end

function Park:close(id, body)
    body.reason = body.reason or "票丢了"
    return self:ok("POST", "/sessions/" .. id .. "/close",
        { as = "staff:s1", body = body })
end

function Park:correct(id, plate)
    return self:ok("POST", "/sessions/" .. id .. "/correct-plate",
        { as = "staff:s1", body = { plate = plate, reason = "看错了" } })
end

function Park:quote(id, as, coupon_ids)
    return (self:ok("POST", "/sessions/" .. id .. "/quote",
        { as = as or "resident:wang", body = { coupon_ids = coupon_ids } }))
end

-- Asks to pay what a quote says.
function Park:payment(id, quote, as)
    return self:ok("POST", "/sessions/" .. id .. "/payments",
        { as = as or "resident:wang",
            body = { quote_id = quote.quote_id, channel = "sim" } })
end

-- Quotes and pays a stay at that time: the payment's id.
function Park:pay(id, time, as)
    self:at(time)
    local asked = self:payment(id, self:quote(id, as), as)
    tap.equal(self.world:pay(asked.payment_id), "accepted", "payment")
    return asked.payment_id
end

-- The kinds of the anomalies so far, in order: "no_entry already_inside".
function Park:anomalies()
    local kinds = {}
    for i, alert in ipairs(self.world.alerts) do
        kinds[i] = alert.data.kind
    end
    tap.equal(#self.world.db:all "anomaly", #kinds, "anomalies kept")
    return table.concat(kinds, " ")
end

-- The commands so far, in order: "g1 open, g2 display".
function Park:commands()
    local list = {}
    for _, event in ipairs(self.world.events) do
        if event.type == "parking.gate_command" then
            list[#list + 1] = event.data.gate .. " " .. event.data.command
        end
    end
    return table.concat(list, ", ")
end

-- Compares members of an answer.
function M.expect(answer, wanted)
    for name, value in pairs(wanted) do
        tap.equal(answer[name], value, name)
    end
end

return M
