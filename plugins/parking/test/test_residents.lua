-- test/test_residents.lua: what residents see, are quoted and scan
-- (spec/parking.md, P19, P20). Each case is a story.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test
local WANG, LI = "resident:wang", "resident:li" -- of CAR, of OTHER

local function open()
    return carpark.open(here .. "..")
end

local function scan(park, way, gate, as)
    return park:ok("POST", "/scan-" .. way,
        { as = as or WANG, body = { gate = gate } })
end

local function quote(park, id, as)
    return park:ok("POST", "/sessions/" .. id .. "/quote",
        { as = as or WANG, body = {} })
end

test("residents see their plates' sessions, masked", function()
    local park = open()
    local mine = park:enter(CAR, "09:00")
    local theirs = park:enter(OTHER, "09:00")
    local path = "/sessions/" .. mine.session_id
    local seen = park:ok("GET", path, { as = WANG })
    expect(seen, { state = "inside", plate_masked = "沪A***45",
        entered_at = carpark.text "09:00", paid_fen = 0,
        tariff_version = 0 })
    tap.equal(seen.plate, nil, "plate")
    tap.equal(seen.leave_before, nil, "leave_before")
    expect(park:ok("GET", path, { as = "operator:o1" }), { plate = CAR })
    park:refused(404, "parking/session-not-found", "GET",
        "/sessions/" .. theirs.session_id, { as = WANG })
    park:refused(404, "parking/session-not-found", "GET",
        "/sessions/0000", { as = WANG })
    park:refused(404, "parking/session-not-found", "POST",
        "/sessions/" .. theirs.session_id .. "/quote",
        { as = WANG, body = {} })
end)

test("a household's list is that of all its plates", function()
    local park = open()
    park.world.residents.wang = { CAR, OTHER }
    for _, hour in ipairs { "09", "10", "11" } do
        park:enter(CAR, hour .. ":00")
        park:exit(CAR, hour .. ":10")
        park:enter(OTHER, hour .. ":20")
        park:exit(OTHER, hour .. ":30")
    end
    park:enter("沪C00001", "11:40")
    local seen, cursor = {}, nil
    repeat
        local answer = park:ok("GET", "/sessions", { as = WANG,
            query = { limit = "4", cursor = cursor, state = "left" } })
        for _, session in ipairs(answer.items) do
            seen[#seen + 1] = session.entered_at:sub(12, 16)
        end
        cursor = answer.next_cursor
    until not cursor
    tap.equal(table.concat(seen, " "),
        "11:20 11:00 10:20 10:00 09:20 09:00", "newest first")
    tap.equal(#park:ok("GET", "/sessions",
        { as = WANG, query = { plate = CAR } }).items, 3, "of one plate")
    tap.equal(#park:ok("GET", "/sessions",
        { as = WANG, query = { plate = "沪C00001" } }).items, 0,
        "of another's plate")
end)

test("the operator pages over everything", function()
    local park = open()
    for i = 1, 5 do
        park:enter(string.format("沪C%05d", i), "09:00")
    end
    local first = park:ok("GET", "/sessions",
        { as = "operator:o1", query = { limit = "3" } })
    tap.equal(#first.items, 3, "first page")
    local second = park:ok("GET", "/sessions", { as = "operator:o1",
        query = { limit = "3", cursor = first.next_cursor } })
    tap.equal(#second.items, 2, "second page")
    tap.equal(second.next_cursor, nil, "next_cursor")
    for query, value in pairs { limit = "0", cursor = "x", state = "y",
        plate = "z" } do
        park:refused(422, "parking/query-invalid", "GET", "/sessions",
            { as = "operator:o1", query = { [query] = value } })
    end
end)

test("a quote is the price of leaving now, for five minutes", function()
    local park = open()
    local id = park:enter(CAR, "09:00").session_id
    park:at "10:40"
    local said = quote(park, id)
    expect(said, { minutes = 100, gross_fen = 900, discount_fen = 0,
        paid_fen = 0, due_fen = 900, special = false,
        expires_at = carpark.text "10:45" })
    tap.equal(#said.lines, 3, "lines")
    expect(said.lines[1], { from = carpark.text "09:00", fee_fen = 500,
        day = "2026-03-02" })
    tap.equal(quote(park, id).quote_id, said.quote_id, "the same again")
    park:at "10:41"
    tap.check(quote(park, id).quote_id ~= said.quote_id, "another instant")
    expect(quote(park, id, "operator:o1"), { due_fen = 900 })
end)

test("a free stay is quoted at nothing", function()
    local park = open()
    park:ok("PUT", "/lists/allow", { as = "operator:o1",
        body = { plates = { CAR }, reason = "业主" } })
    local id = park:enter(CAR, "09:00").session_id
    park:at "18:00"
    local said = quote(park, id)
    expect(said, { due_fen = 0, gross_fen = 0, minutes = 540 })
    tap.equal(#said.lines, 0, "lines")
end)

test("what is no open session has no quote", function()
    local park = open()
    local entry = park:enter(CAR, "09:00")
    park:exit(CAR, "09:10")
    local exit = park:exit(CAR, "10:00")
    for _, id in ipairs { entry.session_id, exit.session_id } do
        park:refused(409, "parking/session-ended", "POST",
            "/sessions/" .. id .. "/quote", { as = WANG, body = {} })
    end
end)

test("a car without a plate: scan in, scan out", function()
    local park = open()
    local entry = scan(park, "entry", "g1")
    expect(entry, { action = "open", duplicate = false, due_fen = 0 })
    tap.check(entry.temp_plate:find "^临%w%w%w%w%w%w%w$", "temp_plate")
    park:at "09:20"
    expect(scan(park, "exit", "g2"), { action = "open", due_fen = 0,
        session_id = entry.session_id, temp_plate = entry.temp_plate })
    tap.equal(park:commands(), "g1 open, g2 open", "commands")
    park:refused(404, "parking/session-not-found", "POST", "/scan-exit",
        { as = WANG, body = { gate = "g2" } })
    expect(park:session(entry.session_id), { state = "left",
        temporary = true })
end)

test("scanning out with a sum due holds, and the display says it", function()
    local park = open()
    local entry = scan(park, "entry", "g1")
    park:at "10:40"
    expect(scan(park, "exit", "g2"), { action = "hold",
        reason = "payment_due", due_fen = 900 })
    tap.equal(park:commands(), "g1 open, g2 display", "commands")
    tap.equal(park.world.events[2].data.display_text, "请缴费 9.00 元",
        "display_text")
    park:close(entry.session_id, { kind = "forced" })
    tap.equal(park:commands(), "g1 open, g2 display, g2 open", "commands")
end)

test("two scans at one gate are one car; a second car waits", function()
    local park = open()
    local first = scan(park, "entry", "g1")
    park:at "09:02"
    expect(scan(park, "entry", "g1"), { session_id = first.session_id,
        temp_plate = first.temp_plate, duplicate = true })
    park:refused(409, "parking/already-inside", "POST", "/scan-entry",
        { as = WANG, body = { gate = "g3" } })
    expect(scan(park, "entry", "g1", LI), { duplicate = false })
    tap.equal(park:commands(), "g1 open, g1 open", "commands")
end)

test("a temporary plate belongs to who scanned it", function()
    local park = open()
    local entry = scan(park, "entry", "g1")
    local path = "/sessions/" .. entry.session_id
    park:ok("GET", path, { as = WANG })
    tap.equal(#park:ok("GET", "/sessions", { as = WANG }).items, 1, "own")
    tap.equal(#park:ok("GET", "/sessions",
        { as = WANG, query = { state = "inside" } }).items, 1, "inside")
    tap.equal(#park:ok("GET", "/sessions", { as = LI }).items, 0, "others'")
    park:refused(404, "parking/session-not-found", "GET", path, { as = LI })
    quote(park, entry.session_id)
end)

test("what is about a scanned car names its scanner as subject", function()
    local park = open()
    local entry = scan(park, "entry", "g1")
    local pid = park.world.db:all("session")[1].resident
    tap.equal(#pid, 32, "pid")
    tap.equal(park.world.events[1].subject, pid, "subject")
    tap.equal(park:session(entry.session_id).resident, nil, "answered")
end)

test("a gate that takes no entries is not scanned in at", function()
    local park = open()
    park:refused(422, "parking/gate-direction", "POST", "/scan-entry",
        { as = WANG, body = { gate = "g2" } })
    park:refused(404, "parking/gate-unknown", "POST", "/scan-exit",
        { as = WANG, body = { gate = "g7" } })
end)

test("arrears are for the plate's household and the operator", function()
    local park = open()
    park:at "14:00"
    park:replay("g9", { park:event("entry", CAR, "09:00"),
        park:event("exit", CAR, "10:40") })
    local function owed(as, plate)
        return park:ok("GET", "/arrears",
            { as = as, query = { plate = plate } }).items
    end
    tap.equal(owed(WANG, CAR)[1].amount_fen, 900, "own")
    tap.equal(owed("operator:o1", CAR)[1].amount_fen, 900, "operator's")
    tap.equal(#owed(LI, OTHER), 0, "none")
    for _, plate in ipairs { CAR, "沪C00001" } do
        park:refused(404, "parking/plate-unknown", "GET", "/arrears",
            { as = LI, query = { plate = plate } })
    end
    park:refused(422, "parking/query-invalid", "GET", "/arrears",
        { as = LI, query = {} })
end)

test("plates that the host keeps back find no stay and buy no pass", function()
    local park = open()
    local mine = park:enter(CAR, "09:00").session_id
    park.world.withheld["plate:billing"] = true
    park.world.withheld["plate:entry"] = true
    tap.equal(#park:ok("GET", "/sessions", { as = WANG }).items, 0, "list")
    tap.equal(#park:ok("GET", "/passes", { as = WANG }).items, 0, "passes")
    for _, path in ipairs { "/quote", "/payments" } do
        park:refused(404, "parking/session-not-found", "POST",
            "/sessions/" .. mine .. path,
            { as = WANG, body = { quote_id = path == "/payments" and "a"
                or nil } })
    end
    park:refused(404, "parking/plate-unknown", "GET", "/arrears",
        { as = WANG, query = { plate = CAR } })
    park:refused(403, "consent/denied", "POST", "/passes", { as = WANG,
        body = { product_id = "monthly", plates = { CAR },
            starts_on = "2026-03-02" } })
    park:refused(403, "consent/denied", "POST", "/shares", { as = WANG,
        body = { space_id = "A01", from = carpark.text "10:00",
            to = carpark.text "12:00", price_fen_per_hour = 100,
            audience = "public" } })
    -- What needs no plate goes on: a car without one is scanned, and paid.
    local scanned = scan(park, "entry", "g1").session_id
    park:at "10:40"
    tap.equal(quote(park, scanned).due_fen > 0, true, "due_fen")
    park:pay(scanned, "10:41")
end)

test("a scanned car is quoted without asking for plates", function()
    local park = open()
    local scanned = scan(park, "entry", "g1").session_id
    quote(park, scanned)
    local without = park.world.host_calls
    local mine = park:enter(CAR, "09:30").session_id
    quote(park, mine)
    tap.equal(park.world.host_calls, without + 1, "host calls")
end)

tap.finish()
