-- test/test_desk.lua: what staff do by hand (spec/parking.md, P14, P17, P18).
-- Each case is a story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test

local function open()
    return carpark.open(here .. "..")
end

local function audited(park)
    local actions = {}
    for i, item in ipairs(park.world.db:all "audit") do
        actions[i] = item.action .. ":" .. (item.reason or "")
    end
    return table.concat(actions, " ")
end

test("a held car is let out: forced owes nothing, the gate opens", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    park:exit(CAR, "12:00")
    local closed = park:close(entry.session_id, { kind = "forced" })
    expect(closed, { state = "closed" })
    expect(closed.closed, { kind = "forced", fee_fen = 0,
        collected_fen = 0, reason = "票丢了" })
    tap.equal(park:commands(), "g1 open, g2 open", "commands")
    tap.equal(park.world:metered "parking.session_closed", 1, "closed")
    tap.equal(next(park.world.timers), nil, "timers left")
    tap.equal(audited(park), "close:票丢了", "audit")
    expect(park:enter(CAR, "12:30"), { reason = "entered" })
end)

test("a lost entry costs the fee for it, or is waived", function()
    for _, kind in ipairs { "lost", "no_entry" } do
        local park = open()
        local paid = park:close(park:exit(CAR, "12:00").session_id,
            { kind = kind })
        expect(paid.closed, { fee_fen = 5000, collected_fen = 5000 })
        local waived = park:close(park:exit(OTHER, "12:10").session_id,
            { kind = kind, waive = true })
        expect(waived.closed, { fee_fen = 5000, collected_fen = 0 })
        tap.equal(park:commands(), "g2 open, g2 open", "commands")
        tap.equal(park.world:metered "parking.session_closed", 2, "closed")
    end
end)

test("where no gate holds the car, the staff say which opens", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    park:close(entry.session_id, { kind = "lost", gate = "g2" })
    tap.equal(park:commands(), "g1 open, g2 open", "commands")
    local other = park:enter(OTHER, "09:30")
    park:close(other.session_id, { kind = "lost" })
    tap.equal(park:commands(), "g1 open, g2 open, g1 open", "commands")
end)

test("an exit of the past opens no gate when it is settled", function()
    local park = open()
    park:at "14:00"
    local exit = park:replay("g2", { park:event("exit", CAR, "10:40") })
    park:close(exit.results[1].session_id, { kind = "no_entry" })
    tap.equal(park:commands(), "", "commands")
end)

test("what has ended is not closed again", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    local path = "/sessions/" .. entry.session_id
    local body = { kind = "forced", reason = "重复" }
    park:ok("POST", path .. "/close", { as = "operator:o1", body = body })
    park:refused(409, "parking/session-ended", "POST", path .. "/close",
        { as = "operator:o1", body = body })
    park:refused(409, "parking/session-ended", "POST",
        path .. "/correct-plate", { as = "operator:o1",
            body = { plate = OTHER, reason = "看错了" } })
    tap.equal(park.world:metered "parking.session_closed", 1, "closed")
end)

test("a repeated exit event after closing opens", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    park:at "12:00"
    local event = park:event("exit", CAR, "12:00")
    park:send("g2", event)
    expect(park:send("g2", event), { action = "hold", due_fen = 1300,
        duplicate = true })
    park:close(entry.session_id, { kind = "forced" })
    expect(park:send("g2", event), { action = "open", reason = "closed",
        due_fen = 0, duplicate = true, session_id = entry.session_id })
end)

test("a misread exit is corrected: its entry is found, it pays", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    local exit = park:exit("沪A12346", "10:40")
    expect(exit, { reason = "no_entry" })
    local fixed = park:correct(exit.session_id, CAR)
    expect(fixed, { id = entry.session_id, state = "inside",
        action = "hold", reason = "payment_due", due_fen = 900 })
    expect(park:session(exit.session_id), { state = "merged",
        merged_into = entry.session_id })
    tap.equal(park:commands(), "g1 open", "commands")
    tap.equal(audited(park), "correct_plate:看错了", "audit")
    park:close(entry.session_id, { kind = "forced" })
    tap.equal(park:commands(), "g1 open, g2 open", "commands")
    tap.equal(park.world:metered "parking.session_closed", 1, "closed")
end)

test("if nothing is due the gate opens with the correction", function()
    local park = open()
    park:enter(CAR, "09:00")
    local exit = park:exit("沪A12346", "09:20")
    expect(park:correct(exit.session_id, CAR), { state = "left",
        action = "open", reason = "left", due_fen = 0,
        left_at = carpark.text "09:20" })
    tap.equal(park:commands(), "g1 open, g2 open", "commands")
end)

test("a misread entry is corrected: the exit that waits is its", function()
    local park = open()
    local entry = park:enter("沪A12346", "09:00")
    local exit = park:exit(CAR, "10:40")
    expect(exit, { reason = "no_entry" })
    expect(park:correct(entry.session_id, CAR), { id = entry.session_id,
        state = "inside", plate = CAR, action = "hold", due_fen = 900 })
    expect(park:session(exit.session_id), { state = "merged" })
    tap.equal(#park:sessions { state = "no_entry" }, 0, "no_entry")
end)

test("a car that waits is told by its own event, sent again", function()
    local park = open()
    local entry = park:enter("沪A12346", "09:00")
    park:at "10:40"
    local event = park:event("exit", CAR, "10:40")
    park:send("g2", event)
    park:correct(entry.session_id, CAR)
    expect(park:send("g2", event), { action = "hold", due_fen = 900,
        reason = "payment_due", session_id = entry.session_id,
        duplicate = true })
end)

test("an offline misread exit owes arrears when corrected", function()
    local park = open()
    park:enter(CAR, "09:00")
    park:at "14:00"
    local exit = park:replay("g2", { park:event("exit", "沪A12346",
        "10:40") }).results[1]
    expect(park:correct(exit.session_id, CAR), { state = "left",
        reason = "arrears", due_fen = 900 })
    tap.equal(#park:arrears(CAR), 1, "debts")
    tap.equal(park:commands(), "g1 open", "commands")
end)

test("another open session on the plate: 409, nothing changed", function()
    local park = open()
    local mine = park:enter(CAR, "09:00")
    local other = park:enter(OTHER, "09:05")
    park:refused(409, "parking/plate-inside", "POST",
        "/sessions/" .. other.session_id .. "/correct-plate",
        { as = "staff:s1", body = { plate = CAR, reason = "看错了" } })
    expect(park:session(mine.session_id), { plate = CAR, state = "inside" })
    expect(park:session(other.session_id), { plate = OTHER })
    tap.equal(audited(park), "", "audit")
end)

test("an exit is not that of an entry that came after it", function()
    local park = open()
    local exit = park:exit("沪A12346", "09:00")
    park:enter(CAR, "09:30")
    park:refused(409, "parking/plate-inside", "POST",
        "/sessions/" .. exit.session_id .. "/correct-plate",
        { as = "staff:s1", body = { plate = CAR, reason = "看错了" } })
    expect(park:session(exit.session_id), { plate = "沪A12346",
        state = "no_entry" })
end)

test("a correction without a counterpart changes the plate", function()
    local park = open()
    local entry = park:enter("沪A12346", "09:00")
    expect(park:correct(entry.session_id, CAR), { plate = CAR,
        state = "inside" })
    expect(park:exit(CAR, "09:10"), { action = "open",
        session_id = entry.session_id })
    local exit = park:exit("沪A12347", "10:00")
    expect(park:correct(exit.session_id, OTHER), { plate = OTHER,
        state = "no_entry" })
end)

test("the lists are asked anew for the corrected plate", function()
    local park = open()
    park:ok("PUT", "/lists/allow", { as = "operator:o1",
        body = { plates = { CAR }, reason = "业主" } })
    local entry = park:enter("沪A12346", "09:00")
    expect(park:correct(entry.session_id, CAR), { free = true })
    expect(park:exit(CAR, "18:00"), { action = "open", due_fen = 0 })
end)

test("a gate is opened by hand, with a reason", function()
    local park = open()
    park:ok("POST", "/gates/g2/open", { as = "staff:s1",
        body = { reason = "救护车" } })
    tap.equal(park:commands(), "g2 open", "commands")
    tap.equal(audited(park), "open:救护车", "audit")
    park:refused(422, "request/invalid", "POST", "/gates/g2/open",
        { as = "staff:s1", body = {} })
    park:refused(404, "parking/gate-unknown", "POST", "/gates/g7/open",
        { as = "staff:s1", body = { reason = "救护车" } })
    park:refused(403, "auth/caller", "POST", "/gates/g2/open",
        { as = "resident:wang", body = { reason = "救护车" } })
end)

test("the operator reads what was done and what went wrong", function()
    local park = open()
    park:close(park:exit(CAR, "12:00").session_id, { kind = "lost" })
    local audit = park:ok("GET", "/audit", { as = "operator:o1" }).items
    expect(audit[1], { action = "close", reason = "票丢了",
        collected_fen = 5000, at = carpark.text "12:00" })
    expect(audit[1].by, { kind = "staff", id = "s1" })
    local anomalies = park:ok("GET", "/anomalies",
        { as = "operator:o1" }).items
    expect(anomalies[1], { kind = "no_entry", gate = "g2",
        plate_masked = "沪A***45" })
end)

test("a plate that owes nothing owes nothing for a lost entry either",
    function()
    local park = open()
    local police = "沪A1234警"
    local seen = park:exit(police, "10:00")
    expect(seen, { action = "hold", reason = "no_entry", due_fen = 0,
        special = true })
    park:close(seen.session_id, { kind = "no_entry" })
    expect(park:session(seen.session_id).closed, { fee_fen = 0,
        collected_fen = 0 })
    local misread = park:exit("沪A12340", "10:05")
    expect(misread, { due_fen = 5000, special = false })
    park:correct(misread.session_id, "沪A9999警")
    park:close(misread.session_id, { kind = "no_entry" })
    expect(park:session(misread.session_id).closed, { fee_fen = 0 })
    local inside = park:enter(police, "11:00").session_id
    park:close(inside, { kind = "lost" })
    expect(park:session(inside).closed, { fee_fen = 0 })
end)

tap.finish()
