-- test/test_gates.lua: what a car at a gate is told (spec/parking.md, P1 to
-- P13). Each case is a story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test
local function open()
    return carpark.open(here .. "..")
end

test("a car enters, stays half an hour and leaves for nothing", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    expect(entry, { action = "open", reason = "entered", due_fen = 0,
        duplicate = false, display_text = "欢迎光临" })
    local exit = park:exit(CAR, "09:30")
    expect(exit, { action = "open", reason = "left", due_fen = 0,
        session_id = entry.session_id })
    expect(park:session(entry.session_id), { state = "left", fee_fen = 0,
        left_at = carpark.text "09:30" })
    tap.equal(park:commands(), "g1 open, g2 open", "commands")
    tap.equal(park.world:metered "parking.session_closed", 1, "closed")
    tap.equal(park.world:metered "parking.gate_event", 2, "events")
    tap.equal(next(park.world.timers), nil, "timers left")
    tap.equal(park:anomalies(), "", "anomalies")
end)

test("a second more, and the exit holds with what is due", function()
    local park = open()
    park:enter(CAR, "09:00")
    local exit = park:exit(CAR, "09:30:01")
    expect(exit, { action = "hold", reason = "payment_due", due_fen = 500,
        display_text = "请缴费 5.00 元" })
    expect(park:session(exit.session_id), { state = "inside",
        exit_gate = "g2" })
    tap.equal(park:commands(), "g1 open", "commands")
    tap.equal(park.world:metered "parking.session_closed", 0, "closed")
end)

test("the same event twice is one session, counted once", function()
    local park = open()
    local event = park:event("entry", CAR, "09:00")
    local first = park:send("g1", event)
    local second = park:send("g1", event)
    expect(second, { session_id = first.session_id, action = "open",
        duplicate = true })
    tap.equal(#park:sessions(), 1, "sessions")
    tap.equal(park:commands(), "g1 open", "commands")
    tap.equal(park.world:metered "parking.gate_event", 1, "events")
end)

test("the event's id counts at its own gate only", function()
    local park = open()
    park:send("g1", park:event("entry", CAR, "09:00", { event_id = "7" }))
    local other = park:send("g3",
        park:event("entry", OTHER, "09:00", { event_id = "7" }))
    expect(other, { duplicate = false, reason = "entered" })
end)

test("two shots of one car within 120 s are one entry", function()
    local park = open()
    local first = park:enter(CAR, "09:00")
    local second = park:enter(CAR, "09:02")
    expect(second, { session_id = first.session_id, action = "open",
        duplicate = true })
    expect(park:session(first.session_id),
        { entered_at = carpark.text "09:00" })
    tap.equal(park:commands(), "g1 open", "commands")
    tap.equal(park.world:metered "parking.gate_event", 2, "events")
end)

test("a second later the car is already inside", function()
    local park = open()
    local first = park:enter(CAR, "09:00")
    local second = park:enter(CAR, "09:02:01")
    expect(second, { session_id = first.session_id, action = "hold",
        reason = "already_inside", duplicate = false })
    tap.equal(park:anomalies(), "already_inside", "anomalies")
    tap.equal(#park:sessions(), 1, "sessions")
end)

test("so it is at another gate, at once", function()
    local park = open()
    park:enter(CAR, "09:00", "g1")
    expect(park:enter(CAR, "09:00", "g3"), { reason = "already_inside" })
end)

test("a repeated hold is the same hold, without a second anomaly", function()
    local park = open()
    park:enter(CAR, "09:00")
    local event = park:event("entry", CAR, "09:10")
    park:at "09:10"
    park:send("g1", event)
    expect(park:send("g1", event), { action = "hold",
        reason = "already_inside", duplicate = true })
    tap.equal(park:anomalies(), "already_inside", "anomalies")
end)

test("an entry that lost the race is the winner's", function()
    local park = open()
    park.world.db.before_insert = function(collection, doc)
        tap.equal(collection, "session", "collection")
        local winner = { id = "winner" }
        for name, value in pairs(doc) do
            winner[name] = name == "id" and "winner" or value
        end
        park.world.db.collections.session:put(winner)
    end
    expect(park:enter(CAR, "09:00"), { session_id = "winner",
        action = "open", duplicate = true })
    tap.equal(#park:sessions(), 1, "sessions")
end)

test("a car without an entry is held, and is not inside", function()
    local park = open()
    local exit = park:exit(CAR, "10:00")
    expect(exit, { action = "hold", reason = "no_entry", due_fen = 5000,
        display_text = "无入场记录, 请联系管理员" })
    expect(park:session(exit.session_id), { state = "no_entry" })
    tap.equal(park:anomalies(), "no_entry", "anomalies")
    tap.equal(#park:sessions { state = "inside" }, 0, "inside")
    expect(park:enter(CAR, "10:05"), { reason = "entered" })
end)

test("a car that stands at the exit is one missing entry", function()
    local park = open()
    local first = park:exit(CAR, "10:00")
    for _, time in ipairs { "10:01", "10:02:30", "10:04" } do
        expect(park:exit(CAR, time), { session_id = first.session_id,
            action = "hold", duplicate = true })
    end
    tap.equal(park:anomalies(), "no_entry", "anomalies")
    local later = park:exit(CAR, "10:06:01")
    tap.check(later.session_id ~= first.session_id, "another exit")
end)

test("a second shot of a car that leaves opens again", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    park:exit(CAR, "09:10")
    expect(park:exit(CAR, "09:10:05"), { action = "open", duplicate = true,
        session_id = entry.session_id })
    tap.equal(park:anomalies(), "", "anomalies")
    tap.equal(park.world:metered "parking.session_closed", 1, "closed")
end)

test("the exit of another lot opens too, and is told", function()
    local park = open()
    local entry = park:enter(CAR, "09:00", "g1")
    expect(park:exit(CAR, "09:10", "g9"), { action = "open",
        session_id = entry.session_id })
    tap.equal(park:anomalies(), "other_lot", "anomalies")
end)

test("a clock within five minutes is believed, either way", function()
    local park = open()
    for i, time in ipairs { "08:55", "09:05" } do
        local plate = i == 1 and CAR or OTHER
        local entry = park:send("g1", park:event("entry", plate, time))
        expect(park:session(entry.session_id),
            { entered_at = carpark.text(time) })
    end
end)

test("beyond it the receipt is the time, and the event flagged", function()
    local park = open()
    for i, time in ipairs { "08:54:59", "09:05:01" } do
        local plate = i == 1 and CAR or OTHER
        local entry = park:send("g1", park:event("entry", plate, time))
        expect(park:session(entry.session_id),
            { entered_at = carpark.text "09:00" })
    end
    for _, event in ipairs(park.world.db:all "gate_event") do
        tap.equal(event.flagged, true, "flagged")
    end
end)

test("an exit clock that is behind makes no stay below nothing", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    park:send("g2", park:event("exit", CAR, "08:58"))
    expect(park:session(entry.session_id), { state = "left",
        left_at = carpark.text "09:00", fee_fen = 0 })
end)

test("a plate that was not read is asked to scan", function()
    local park = open()
    local event = park:event("entry", "", "09:00")
    expect(park:send("g1", event), { action = "hold", reason = "no_plate" })
    tap.equal(#park:sessions(), 0, "sessions")
end)

test("a gate takes cars one way, and must be there", function()
    local park = open()
    local body = park:event("exit", CAR, "09:00")
    park:refused(422, "parking/gate-direction", "POST", "/gates/g1/events",
        { as = "device:g1", body = body })
    park:refused(404, "parking/gate-unknown", "POST", "/gates/g7/events",
        { as = "device:g7", body = body })
    park:refused(404, "request/not-found", "POST", "/gates/g2/events",
        { as = "device:g1", body = body })
end)

test("a gate of a lot that is not there is refused at once", function()
    local ok, why = pcall(carpark.open, here .. "..", { lots = {},
        gates = { g1 = { lot = "p1" } } })
    tap.equal(ok, false, "loaded")
    tap.check(tostring(why):find("gates.g1", 1, true), tostring(why))
end)

test("a denied plate is turned away and leaves no open session", function()
    local park = open()
    park:ok("PUT", "/lists/deny", { as = "operator:o1",
        body = { plates = { CAR }, reason = "欠费" } })
    local entry = park:enter(CAR, "09:00")
    expect(entry, { action = "deny", reason = "denied" })
    expect(park:session(entry.session_id), { state = "denied" })
    tap.equal(#park:sessions { state = "inside" }, 0, "inside")
    tap.equal(park.world:metered "parking.session_closed", 0, "closed")
    tap.equal(park:commands(), "", "commands")
end)

test("allowed plates stay free, special ones are special", function()
    local park = open()
    for list, plate in pairs { allow = CAR, special = OTHER } do
        park:ok("PUT", "/lists/" .. list, { as = "operator:o1",
            body = { plates = { plate }, reason = "业主" } })
    end
    park:enter(CAR, "09:00")
    park:enter(OTHER, "09:00")
    park:enter("沪A1234警", "09:00")
    local free = park:exit(CAR, "18:00")
    expect(free, { action = "open", due_fen = 0, special = false })
    expect(park:session(free.session_id), { free = true, fee_fen = 0 })
    for _, plate in ipairs { OTHER, "沪A1234警" } do
        local special = park:exit(plate, "18:00")
        expect(special, { action = "open", due_fen = 0, special = true })
        expect(park:session(special.session_id), { special = true })
    end
end)

test("a session keeps the tariff of its entry", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    local dear = { first = { minutes = 60, fee_fen = 9900 },
        next = { minutes = 60, fee_fen = 9900 } }
    park:ok("PUT", "/tariffs/p1", { as = "operator:o1", body = dear })
    park:enter(OTHER, "09:00")
    tap.equal(park:exit(CAR, "10:00").due_fen, 500, "due_fen before")
    tap.equal(park:exit(OTHER, "10:00").due_fen, 9900, "due_fen after")
    expect(park:session(entry.session_id), { tariff_version = 0 })
end)

test("after three days inside the operator is told, once", function()
    local park = open()
    park:enter(CAR, "09:00")
    park.world:advance(72 * 3600 * 1000 - 1)
    tap.equal(park:anomalies(), "", "anomalies before")
    park.world:advance(1)
    tap.equal(park:anomalies(), "stale_session", "anomalies")
    park.world:advance(100 * 3600 * 1000)
    tap.equal(park:anomalies(), "stale_session", "anomalies later")
end)

test("whoever is known to have come is watched over if they agreed", function()
    local park = open()
    park:ok("POST", "/scan-entry",
        { as = "resident:wang", body = { gate = "g1" } })
    park.world:advance(80 * 3600 * 1000)
    tap.equal(park:anomalies(), "", "anomalies without")
    park.world.agreed["parking_trail:safety_monitoring"] = true
    park:ok("POST", "/scan-entry",
        { as = "resident:li", body = { gate = "g1" } })
    park.world:advance(80 * 3600 * 1000)
    tap.equal(park:anomalies(), "stale_session", "anomalies with")
end)

test("displays speak English if the operator says so", function()
    local park = carpark.open(here .. "..", { language = "en",
        lots = { p1 = { name = "P1", tariff = carpark.TARIFF } },
        gates = { g1 = { lot = "p1" } } })
    park:enter(CAR, "09:00", "g1")
    tap.equal(park:exit(CAR, "10:30", "g1").display_text,
        "Please pay 7.00 yuan", "display_text")
end)

test("a command names no plate and expires", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    local command = park.world.events[1].data
    expect(command, { gate = "g1", command = "open", reason = "entered",
        session_id = entry.session_id, event_id = "e1",
        at = carpark.text "09:00", expires_at = carpark.text "09:01" })
    for name, value in pairs(command) do
        tap.check(not tostring(value):find("12345", 1, true), name)
    end
end)

test("no document tells the plate to the alert's reader", function()
    local park = open()
    park:exit(CAR, "10:00")
    tap.equal(park.world.alerts[1].data.plate_masked, "沪A***45", "masked")
    for _, value in pairs(park.world.alerts[1].data) do
        tap.check(not tostring(value):find("12345", 1, true), "the plate")
    end
end)

test("an electric car pays as any other", function()
    local park = carpark.open(here .. "..")
    park:at "09:00"
    local entry = park:send("g1", park:event("entry", "沪AD12345", "09:00",
        { plate_type = "green" }))
    expect(park:session(entry.session_id), { plate_type = "green" })
    expect(park:exit("沪AD12345", "10:40"), { due_fen = 900 })
end)

tap.finish()
