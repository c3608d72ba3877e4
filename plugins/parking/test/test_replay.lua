-- test/test_replay.lua: events of the time without a network, and calls that
-- came too late (spec/parking.md, P15, P16). Each case is a story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test

local function open()
    local park = carpark.open(here .. "..")
    park:at "14:00" -- the network is back
    return park
end

-- The car's only session, left at 10:40, with 9.00 owed once.
local function expect_one_debt(park)
    local all = park:sessions { plate = CAR, state = "left" }
    tap.equal(#all, 1, "sessions that left")
    expect(all[1], { entered_at = carpark.text "09:00",
        left_at = carpark.text "10:40", fee_fen = 900 })
    tap.equal(#park:sessions { plate = CAR, state = "inside" }, 0, "inside")
    tap.equal(#park:sessions { plate = CAR, state = "no_entry" }, 0,
        "no_entry")
    local debts = park:arrears(CAR)
    tap.equal(#debts, 1, "debts")
    expect(debts[1], { session_id = all[1].id, amount_fen = 900,
        state = "owed", at = carpark.text "10:40" })
    tap.equal(park.world:metered "parking.session_closed", 1, "closed")
    tap.equal(park:commands(), "", "commands")
end

local function both(park)
    return { park:event("entry", CAR, "09:00") },
        { park:event("exit", CAR, "10:40") }
end

test("an exit that was not paid becomes arrears", function()
    local park = open()
    local entries, exits = both(park)
    local entry = park:replay("g1", entries)
    expect(entry.results[1], { event_id = "e1", action = "open",
        reason = "entered", duplicate = false })
    local exit = park:replay("g2", exits)
    expect(exit.results[1], { action = "open", reason = "arrears",
        due_fen = 900 })
    expect_one_debt(park)
end)

test("what happened offline counts when it happened", function()
    local park = open()
    local entries, exits = both(park)
    park:replay("g1", entries)
    park.world:advance(100 * 3600 * 1000)
    park:replay("g2", exits)
    for i, at in ipairs { carpark.instant "09:00",
        park.world.now - 72 * 3600 * 1000 } do
        tap.equal(park.world.meters[i].at, at, "at")
    end
end)

test("replayed twice nothing changes", function()
    local park = open()
    local entries, exits = both(park)
    for _ = 1, 2 do
        park:replay("g1", entries)
        park:replay("g2", exits)
    end
    local exit = park:replay("g2", exits)
    tap.equal(exit.duplicates, 1, "duplicates")
    expect(exit.results[1], { duplicate = true, reason = "arrears" })
    expect_one_debt(park)
    tap.equal(park.world:metered "parking.gate_event", 2, "events")
end)

test("the exit gate's batch may come before the entry gate's", function()
    local park = open()
    local entries, exits = both(park)
    local exit = park:replay("g2", exits)
    expect(exit.results[1], { action = "open", reason = "no_entry" })
    local entry = park:replay("g1", entries)
    expect(entry.results[1], { reason = "arrears", due_fen = 900 })
    expect_one_debt(park)
    expect(park:session(exit.results[1].session_id), { state = "merged",
        merged_into = entry.results[1].session_id })
    park:replay("g2", exits)
    park:replay("g1", entries)
    expect_one_debt(park)
end)

test("within a batch the order is that of the captures", function()
    local park = open()
    park:replay("g9", { park:event("exit", CAR, "10:40"),
        park:event("entry", CAR, "09:00") })
    expect_one_debt(park)
end)

test("events of one instant go in the camera's own order", function()
    local park = open()
    local results = park:replay("g9", {
        park:event("exit", CAR, "09:00", { seq = 2 }),
        park:event("entry", CAR, "09:00", { seq = 1 }) }).results
    expect(results[1], { event_id = "e2", reason = "entered" })
    expect(results[2], { event_id = "e1", reason = "left" })
end)

test("a free stay is left without arrears", function()
    local park = open()
    local exit = park:replay("g9", { park:event("entry", CAR, "09:00"),
        park:event("exit", CAR, "09:30") }).results[2]
    expect(exit, { reason = "left", due_fen = 0 })
    tap.equal(#park:arrears(CAR), 0, "debts")
end)

test("an old time is believed in a replay, and only there", function()
    local park = open()
    park:replay("g1", { park:event("entry", CAR, "09:00") })
    local live = park:send("g1", park:event("entry", OTHER, "09:00"))
    expect(park:sessions { plate = CAR }[1],
        { entered_at = carpark.text "09:00" })
    expect(park:session(live.session_id),
        { entered_at = carpark.text "14:00" })
end)

test("what was told live is a duplicate in a replay", function()
    local park = open()
    local event = park:event("entry", CAR, "14:00")
    local live = park:send("g1", event)
    local replayed = park:replay("g1", { event }).results[1]
    expect(replayed, { session_id = live.session_id, duplicate = true })
    tap.equal(park:commands(), "g1 open", "commands")
end)

test("a car that was held and let out offline owes arrears", function()
    local park = carpark.open(here .. "..")
    park:enter(CAR, "09:00")
    park:exit(CAR, "10:35")
    park:at "14:00"
    park:replay("g2", { park:event("exit", CAR, "10:40") })
    expect(park:arrears(CAR)[1], { amount_fen = 900 })
    expect(park:sessions { plate = CAR }[1], { state = "left",
        left_at = carpark.text "10:40" })
end)

test("a visit of the past does not end the one of today", function()
    local park = open()
    local now = park:enter(CAR, "14:00")
    park:replay("g9", { park:event("entry", CAR, "09:00"),
        park:event("exit", CAR, "10:40") })
    expect(park:session(now.session_id), { state = "inside" })
    expect(park:sessions { plate = CAR, state = "left" }[1],
        { entered_at = carpark.text "09:00" })
    expect(park:arrears(CAR)[1], { amount_fen = 900 })
    tap.equal(park:anomalies(), "", "anomalies")
end)

test("an offline exit without entry keeps for staff, once", function()
    local park = open()
    local exits = { park:event("exit", CAR, "10:40") }
    park:replay("g2", exits)
    park:replay("g2", exits)
    tap.equal(#park:sessions { state = "no_entry" }, 1, "no_entry")
    tap.equal(park:anomalies(), "no_entry", "anomalies")
    tap.equal(#park:arrears(CAR), 0, "debts")
end)

test("an offline second entry is an anomaly, not a session", function()
    local park = open()
    local results = park:replay("g1", { park:event("entry", CAR, "09:00"),
        park:event("entry", CAR, "11:00") }).results
    expect(results[2], { reason = "already_inside", action = "open",
        session_id = results[1].session_id })
    tap.equal(park:anomalies(), "already_inside", "anomalies")
end)

test("two visits in one outage are two sessions, gate by gate", function()
    local park = open()
    park:replay("g1", { park:event("entry", CAR, "09:00"),
        park:event("entry", CAR, "11:00") })
    park:replay("g2", { park:event("exit", CAR, "10:40"),
        park:event("exit", CAR, "11:45") })
    local left = park:sessions { plate = CAR, state = "left" }
    tap.equal(#left, 2, "sessions that left")
    expect(left[1], { entered_at = carpark.text "11:00",
        left_at = carpark.text "11:45", fee_fen = 500 })
    expect(left[2], { entered_at = carpark.text "09:00",
        left_at = carpark.text "10:40", fee_fen = 900 })
    tap.equal(#park:sessions { plate = CAR }, 2, "sessions")
    tap.equal(#park:arrears(CAR), 2, "debts")
end)

test("a live exit is that of the last entry that was told", function()
    local park = open()
    park:replay("g1", { park:event("entry", CAR, "09:00"),
        park:event("entry", CAR, "13:40") })
    expect(park:exit(CAR, "14:05"), { action = "open", due_fen = 0 })
    park:replay("g2", { park:event("exit", CAR, "10:40") })
    tap.equal(#park:sessions { state = "inside" }, 0, "inside")
    expect(park:arrears(CAR)[1], { amount_fen = 900 })
end)

test("an entry does not wait for longer than three days", function()
    local park = open()
    local first = park:replay("g1", { park:event("entry", CAR, "09:00"),
        park:event("entry", CAR, "11:00") }).results[1]
    park:close(first.session_id, { kind = "forced" })
    park.world:advance(70 * 3600 * 1000)
    local late = park:event("exit", CAR, "14:00")
    late.captured_at = "2026-03-05T11:00:00.001+08:00"
    expect(park:replay("g2", { late }).results[1], { reason = "no_entry" })
    late = park:event("exit", CAR, "14:00")
    late.captured_at = "2026-03-05T11:00:00+08:00"
    expect(park:replay("g9", { late }).results[1], { reason = "arrears" })
end)

test("a denied car that got in offline is inside, and told", function()
    local park = open()
    park:ok("PUT", "/lists/deny", { as = "operator:o1",
        body = { plates = { CAR }, reason = "欠费" } })
    park:replay("g1", { park:event("entry", CAR, "09:00") })
    tap.equal(#park:sessions { state = "inside" }, 1, "inside")
    tap.equal(park:anomalies(), "denied_inside", "anomalies")
end)

test("a car that was not read is told of", function()
    local park = open()
    park:replay("g2", { park:event("exit", "", "10:40") })
    tap.equal(park:anomalies(), "no_plate", "anomalies")
end)

test("an event of the wrong way spoils no batch", function()
    local park = open()
    local results = park:replay("g1", { park:event("exit", OTHER, "09:00"),
        park:event("entry", CAR, "09:00") }).results
    expect(results[1], { reason = "wrong_direction" })
    expect(results[2], { reason = "entered" })
end)

test("a late call is an offline event: no command, arrears", function()
    local park = carpark.open(here .. "..")
    park:at "09:00"
    local entry = park:send("g1", park:event("entry", CAR, "09:00"), true)
    expect(entry, { action = "open", reason = "entered" })
    park:at "10:40"
    park:send("g2", park:event("exit", CAR, "10:40"), true)
    expect_one_debt(park)
end)

test("a late call after the camera's own repeat is a duplicate", function()
    local park = carpark.open(here .. "..")
    local event = park:event("entry", CAR, "09:00")
    local first = park:send("g1", event)
    expect(park:send("g1", event, true),
        { session_id = first.session_id, duplicate = true })
end)

-- Fifty is what a batch may hold.
local function batch(park, kind, time)
    local events = {}
    for i = 1, 50 do
        events[i] = park:event(kind, string.format("沪C%05d", i), time)
    end
    return events
end

test("the largest batch stays within what one call may do", function()
    local park = open()
    park:ok("PUT", "/lists/deny", { as = "operator:o1",
        body = { plates = { "沪C00001" }, reason = "欠费" } })
    park:replay("g2", batch(park, "exit", "10:40"))
    tap.equal(#park:sessions { state = "no_entry" }, 50, "no_entry")
    park:replay("g1", batch(park, "entry", "09:00"))
    tap.check(park.world.host_calls <= 820,
        park.world.host_calls .. " host calls")
    tap.equal(#park:sessions { state = "no_entry" }, 0, "no_entry left")
    tap.equal(park.world:metered "parking.session_closed", 50, "closed")
end)

test("a larger one is refused", function()
    local park = open()
    local events = batch(park, "exit", "10:40")
    events[51] = park:event("exit", CAR, "10:40")
    park:refused(422, "request/invalid", "POST", "/gates/g2/replay",
        { as = "device:g2", body = { events = events } })
end)

tap.finish()
