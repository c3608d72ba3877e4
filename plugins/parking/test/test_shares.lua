-- test/test_shares.lua: shared spaces and their bookings (spec/parking.md,
-- P33 to P39). Each case is a story: wang shares A01 from 10:00 to 20:00 at
-- 5.00 an hour, li books it.

local here = arg[0]:match("^.*/") or "./"
package.path = here .. "?.lua;" .. package.path

local carpark = require "carpark"
local tap = require "tap"

local CAR, OTHER = carpark.CAR, carpark.OTHER
local expect, test = carpark.expect, tap.test

local WANG, LI = "resident:wang", "resident:li"

local function share(park, change, as)
    local body = { space_id = "A01", from = carpark.text "10:00",
        to = carpark.text "20:00", price_fen_per_hour = 500,
        audience = "residents" }
    for name, value in pairs(change or {}) do
        body[name] = value
    end
    return body, as or WANG
end

local function shared(park, change)
    local body, as = share(park, change)
    return (park:ok("POST", "/shares", { as = as, body = body }))
end

local function not_shared(park, status, code, change, as)
    local body, who = share(park, change, as)
    park:refused(status, code, "POST", "/shares", { as = who, body = body })
end

-- A park with wang's share.
local function open(change, config)
    local park = carpark.open(here .. "..", config)
    return park, shared(park, change).id
end

local function times(from, to, plate)
    return { from = carpark.text(from), to = carpark.text(to),
        plate = plate or OTHER, channel = "sim" }
end

local function book(park, id, from, to, as)
    return (park:ok("POST", "/shares/" .. id .. "/bookings",
        { as = as or LI, body = times(from, to) }))
end

local function not_booked(park, status, code, id, from, to, as)
    park:refused(status, code, "POST", "/shares/" .. id .. "/bookings",
        { as = as or LI, body = times(from, to) })
end

-- A booking that is paid.
local function booked(park, id, from, to, as)
    local booking = book(park, id, from, to, as)
    tap.equal(park.world:pay(booking.payment_id), "accepted", "payment")
    return booking
end

local function act(park, booking, what, as, body)
    return (park:ok("POST", "/bookings/" .. booking.id .. "/" .. what,
        { as = as or LI, body = body or {} }))
end

local function not_done(park, status, code, booking, what, as, body)
    park:refused(status, code, "POST",
        "/bookings/" .. booking.id .. "/" .. what,
        { as = as or LI, body = body or {} })
end

local function seen(park, booking, as)
    return (park:ok("GET", "/bookings/" .. booking.id, { as = as or LI }))
end

local function settled(park, as)
    return park:ok("GET", "/settlements", { as = as or WANG }).items
end

test("shared, booked, paid, parked, left: the owner has 70 %", function()
    local park, id = open()
    local booking = book(park, id, "10:00", "12:30")
    expect(booking, { state = "unpaid", amount_fen = 1500, -- three hours
        pay_by = carpark.text "09:06", space_id = "A01",
        plate_masked = "沪B***90" })
    tap.check(booking.open_code:find "^%d%d%d%d$", "open_code")
    park.world:pay(booking.payment_id)
    expect(seen(park, booking), { state = "paid" })
    park:at "10:05"
    expect(act(park, booking, "arrive"), { state = "parking" })
    park:at "12:30"
    expect(act(park, booking, "leave"), { state = "finished",
        base_fen = 1500, overdue_fen = 0, owner_fen = 1050,
        operator_fen = 450 })
    expect(settled(park)[1], { booking_id = booking.id, owner_fen = 1050,
        operator_fen = 450 })
    tap.equal(#settled(park, LI), 0, "others' settlements")
    tap.equal(park.world:metered "parking.share_booking", 1, "bookings")
    tap.equal(park.world:metered "parking.gmv_fen", 1500, "gmv")
    tap.equal(next(park.world.timers), nil, "timers left")
end)

test("unpaid, a booking lapses after six minutes, strictly", function()
    local park, id = open()
    local booking = book(park, id, "10:00", "11:00")
    park:at "09:05:59"
    not_booked(park, 409, "parking/space-taken", id, "10:00", "11:00")
    park:at "09:06"
    tap.equal(park.world:pay(booking.payment_id), "late", "payment")
    expect(seen(park, booking), { state = "expired" })
    local second = book(park, id, "10:00", "11:00")
    park.world:advance(6 * 60000 - 1)
    tap.equal(park.world:pay(second.payment_id), "accepted", "payment")
    park:at "09:30"
    expect(seen(park, second), { state = "paid" })
    not_done(park, 409, "parking/booking-state", booking, "arrive")
end)

test("no two bookings meet; half-open times may touch", function()
    local park, id = open()
    booked(park, id, "12:00", "14:00")
    for _, window in ipairs { { "12:00", "14:00" }, { "11:00", "12:01" },
        { "13:59", "15:00" }, { "12:30", "13:00" }, { "11:00", "15:00" } } do
        not_booked(park, 409, "parking/space-taken", id, window[1],
            window[2])
    end
    booked(park, id, "11:00", "12:00")
    booked(park, id, "14:00", "15:00")
end)

test("a booking lies within its share, and in the time to come", function()
    local park, id = open()
    for _, window in ipairs { { "09:59", "11:00" }, { "19:00", "20:01" } } do
        not_booked(park, 409, "parking/outside-share", id, window[1],
            window[2])
    end
    not_booked(park, 422, "parking/interval-invalid", id, "12:00", "12:00")
    park:at "13:00"
    not_booked(park, 422, "parking/interval-invalid", id, "12:00", "13:00")
    not_booked(park, 404, "parking/share-unknown", "x", "14:00", "15:00")
end)

test("a space is shared by its owners, once for a time", function()
    local park = open()
    not_shared(park, 404, "parking/space-unknown", {}, LI)
    not_shared(park, 404, "parking/space-unknown", { space_id = "B99" })
    not_shared(park, 409, "parking/share-overlap",
        { from = carpark.text "08:00", to = carpark.text "22:00" })
    shared(park, { from = carpark.text "20:00",
        to = carpark.text "22:00" })
    not_shared(park, 422, "parking/interval-invalid",
        { from = carpark.text "07:00", to = carpark.text "08:00" })
    not_shared(park, 422, "parking/time-invalid", { from = "10" })
end)

test("the owner cancels: not while a booking lives", function()
    local park, id = open()
    local function withdraw(as)
        return (park.world:request("DELETE", "/shares/" .. id,
            { as = as or WANG }))
    end
    local booking = book(park, id, "10:00", "11:00")
    local function refused()
        park:refused(409, "parking/share-booked", "DELETE",
            "/shares/" .. id, { as = WANG })
    end
    refused()
    park.world:pay(booking.payment_id)
    refused()
    park:at "10:00"
    act(park, booking, "arrive")
    refused()
    act(park, booking, "leave")
    tap.equal(withdraw(LI), 404, "by another")
    tap.equal(withdraw(), 204, "withdrawn")
    not_booked(park, 404, "parking/share-unknown", id, "11:00", "12:00")
    shared(park)
end)

test("overstayed: started hours at twice the price, then no more bookings",
    function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:at "10:00"
    act(park, booking, "arrive")
    park:at "12:00"
    tap.equal(park:anomalies(), "share_overstay", "anomalies")
    expect(park.world.messages[1], { template = "share_overdue" })
    park:at "13:00:01"
    not_booked(park, 409, "parking/overdue-unpaid", id, "15:00", "16:00")
    -- One hour and a second: two hours.
    expect(act(park, booking, "leave"), { state = "overdue_unpaid",
        base_fen = 1000, overdue_fen = 2000, owner_fen = 2100,
        operator_fen = 900 })
    expect(settled(park)[1], { owner_fen = 700, operator_fen = 300 })
    not_booked(park, 409, "parking/overdue-unpaid", id, "15:00", "16:00")
    local asked = act(park, booking, "payments")
    expect(asked, { amount_fen = 2000, booking_id = booking.id })
    park.world:pay(asked.payment_id)
    expect(seen(park, booking), { state = "overdue_paid" })
    expect(settled(park)[1], { owner_fen = 2100, operator_fen = 900 })
    booked(park, id, "15:00", "16:00")
    tap.equal(park.world:metered "parking.gmv_fen", 1000 + 2000 + 500,
        "gmv")
end)

test("left at the end to the millisecond is not overdue", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:at "10:00"
    act(park, booking, "arrive")
    park:at "12:00"
    expect(act(park, booking, "leave"), { overdue_fen = 0 })
    local second = booked(park, id, "13:00", "14:00")
    park:at "13:00"
    act(park, second, "arrive")
    park:at "14:00"
    park.world:advance(1)
    expect(act(park, second, "leave"), { overdue_fen = 1000 })
end)

test("the owner's part is rounded down, the operator has the rest",
    function()
    local park, id = open { price_fen_per_hour = 333 }
    local booking = booked(park, id, "10:00", "11:00")
    park:at "10:00"
    act(park, booking, "arrive")
    expect(act(park, booking, "leave"), { base_fen = 333, owner_fen = 233,
        operator_fen = 100 })
end)

test("an overdue sum is paid once, though two payments are made",
    function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "11:00")
    park:at "10:00"
    act(park, booking, "arrive")
    park:at "11:30"
    act(park, booking, "leave")
    local first, second = act(park, booking, "payments"),
        act(park, booking, "payments")
    park.world:pay(first.payment_id)
    park.world:pay(second.payment_id)
    tap.equal(park.world:refunded_fen(), 1000, "refunded")
    not_done(park, 409, "parking/nothing-due", booking, "payments")
end)

test("cancelled before its time, all goes back and the space is free",
    function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:at "09:59:59"
    expect(act(park, booking, "cancel"), { state = "cancelled",
        refunded_fen = 1000 })
    tap.equal(park.world:refunded_fen(), 1000, "refunded")
    booked(park, id, "10:00", "12:00")
    local late = booked(park, id, "13:00", "14:00")
    park:at "13:00"
    not_done(park, 409, "parking/booking-state", late, "cancel")
end)

test("cancelled unpaid, a payment that comes yet goes back", function()
    local park, id = open()
    local booking = book(park, id, "10:00", "12:00")
    act(park, booking, "cancel")
    park.world:pay(booking.payment_id)
    expect(seen(park, booking), { state = "cancelled" })
    tap.equal(park.world:refunded_fen(), 1000, "refunded")
    tap.equal(park.world:metered "parking.share_booking", 0, "bookings")
end)

test("who never comes has had the space", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:at "12:00"
    expect(seen(park, booking), { state = "finished", base_fen = 1000,
        overdue_fen = 0 })
    expect(settled(park)[1], { owner_fen = 700 })
end)

test("not before its time, and by nobody else", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    not_done(park, 409, "parking/too-early", booking, "arrive")
    park:at "10:00"
    for _, what in ipairs { "arrive", "leave", "cancel", "payments" } do
        not_done(park, 404, "parking/booking-unknown", booking, what, WANG)
    end
    tap.equal(#park:ok("GET", "/bookings", { as = WANG }).items, 0,
        "others' list")
    local of_mine = park:ok("GET", "/bookings",
        { as = WANG, query = { owner = "true" } }).items[1]
    expect(of_mine, { id = booking.id, plate_masked = "沪B***90" })
    tap.equal(of_mine.plate, nil, "the owner sees no whole plate")
    tap.equal(seen(park, booking, WANG).open_code, nil, "nor the code")
    tap.equal(#park:ok("GET", "/bookings", { as = LI }).items, 1, "own")
    tap.equal(seen(park, booking, "operator:o1").open_code, nil, "code")
end)

test("staff at the space are told the code; five wrong ones lock it",
    function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:at "10:00"
    local wrong = booking.open_code == "0000" and "0001" or "0000"
    for _ = 1, 5 do
        not_done(park, 403, "parking/code-wrong", booking, "arrive",
            "staff:s1", { open_code = wrong })
    end
    not_done(park, 423, "parking/code-locked", booking, "arrive",
        "staff:s1", { open_code = booking.open_code })
    local second = booked(park, id, "13:00", "14:00")
    park:at "13:00"
    expect(act(park, second, "arrive", "staff:s1",
        { open_code = second.open_code }), { state = "parking" })
    not_done(park, 422, "parking/reason-missing", second, "leave",
        "staff:s1")
    act(park, second, "leave", "staff:s1", { reason = "手机没电" })
end)

test("the lock is told; out of reach, it changes no sum and no state",
    function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:at "10:00"
    act(park, booking, "arrive")
    park:at "11:00"
    act(park, booking, "leave")
    local told = {}
    for _, event in ipairs(park.world.events) do
        told[#told + 1] = event.data.space .. " " .. event.data.command
    end
    tap.equal(table.concat(told, ", "), "A01 open, A01 close", "commands")
    expect(park.world.events[1].data,
        { expires_at = carpark.text "10:01" })
    expect(seen(park, booking), { state = "finished" })
end)

test("what is for residents, visitors do not see", function()
    local park, id = open()
    local guest = "resident:guest"
    local query = { from = carpark.text "10:00", to = carpark.text "11:00" }
    local function offers(as)
        return park:ok("GET", "/shares", { as = as, query = query }).items
    end
    tap.equal(#offers(LI), 1, "residents'")
    tap.equal(#offers(guest), 0, "visitors'")
    not_booked(park, 404, "parking/share-unknown", id, "10:00", "11:00",
        guest)
    local open_to_all = shared(park, { from = carpark.text "20:00",
        to = carpark.text "22:00", audience = "public" }).id
    booked(park, open_to_all, "20:00", "21:00", guest)
end)

test("a closed estate shares with residents alone", function()
    local config = {}
    for name, value in pairs(carpark.CONFIG) do
        config[name] = value
    end
    config.lots = { p1 = { name = "x", tariff = carpark.TARIFF,
        residents_only = true }, p2 = carpark.CONFIG.lots.p2 }
    local park = open(nil, config)
    not_shared(park, 409, "parking/residents-only", {
        from = carpark.text "20:00", to = carpark.text "21:00",
        audience = "public" })
end)

test("the list of a time says what can be booked for all of it", function()
    local park, id = open()
    booked(park, id, "12:00", "14:00")
    local function offered(from, to)
        local items = park:ok("GET", "/shares", { as = LI,
            query = { from = carpark.text(from),
                to = carpark.text(to) } }).items
        return items[1] and items[1].available
    end
    tap.equal(offered("10:00", "12:00"), true, "before")
    tap.equal(offered("11:00", "15:00"), false, "around the booking")
    tap.equal(offered("19:00", "21:00"), false, "past its end")
    tap.equal(offered("20:00", "21:00"), nil, "not shared")
    tap.equal(#park:ok("GET", "/shares", { as = WANG,
        query = { own = "true" } }).items, 1, "own")
    park:refused(422, "parking/time-invalid", "GET", "/shares",
        { as = LI, query = {} })
end)

test("a car that has booked pays no tariff at the gate, and its exit is "
    .. "its leaving", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    local entry = park:enter(OTHER, "09:50")
    expect(park:session(entry.session_id), { booking_id = booking.id })
    park:at "10:00"
    act(park, booking, "arrive")
    expect(park:exit(OTHER, "12:20"), { action = "open", due_fen = 0 })
    expect(seen(park, booking), { state = "overdue_unpaid",
        overdue_fen = 1000 })
    -- Without a booking it is a car like any other.
    park:enter(OTHER, "14:00")
    expect(park:exit(OTHER, "15:40"), { action = "hold", due_fen = 900 })
end)

test("far too early it is a car like any other", function()
    local park, id = open()
    booked(park, id, "10:00", "12:00")
    park:enter(OTHER, "09:44")
    expect(park:exit(OTHER, "11:00"), { action = "hold" })
end)

test("free of charge, a booking is paid at once", function()
    local park, id = open { price_fen_per_hour = 0 }
    local booking = book(park, id, "10:00", "12:00")
    expect(booking, { state = "paid", amount_fen = 0 })
    park:at "10:00"
    act(park, booking, "arrive")
    park:at "13:00"
    expect(act(park, booking, "leave"), { state = "finished",
        overdue_fen = 0 })
end)

test("a booking that is cancelled pays for no stay", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    local session = park:enter(OTHER, "09:50").session_id
    expect(park:quote(session, LI), { due_fen = 0 })
    act(park, booking, "cancel")
    expect(park:exit(OTHER, "11:30"), { action = "hold", due_fen = 900 })
end)

test("who drives in and never says so is there all the same", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:enter(OTHER, "09:50")
    park:at "12:00"
    tap.equal(park:anomalies(), "share_overstay", "anomalies")
    expect(seen(park, booking), { state = "parking",
        arrived_at = carpark.text "10:00" })
    expect(park:exit(OTHER, "15:30"), { action = "open", due_fen = 0 })
    expect(seen(park, booking), { state = "overdue_unpaid",
        overdue_fen = 4000 })
end)

test("who drives in and out in time owes nothing more", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    park:enter(OTHER, "09:50")
    expect(park:exit(OTHER, "11:00"), { action = "open", due_fen = 0 })
    park:enter(OTHER, "11:10") -- and comes back
    expect(park:exit(OTHER, "11:59"), { action = "open", due_fen = 0 })
    park:at "12:00"
    expect(seen(park, booking), { state = "finished", overdue_fen = 0 })
end)

test("who has left the space and stays in the car park pays the tariff",
    function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    local session = park:enter(OTHER, "10:00").session_id
    act(park, booking, "arrive")
    park:at "11:00"
    act(park, booking, "leave")
    park:at "11:15" -- time to drive out
    expect(park:quote(session, LI), { due_fen = 0 })
    -- From 11:15: 500, then 200 for the half hour.
    expect(park:exit(OTHER, "12:45"), { action = "hold", due_fen = 700 })
end)

test("of several cars that are parked, each is looked at", function()
    local config = {}
    for name, value in pairs(carpark.CONFIG) do
        config[name] = value
    end
    config.spaces = { A01 = carpark.CONFIG.spaces.A01,
        A02 = carpark.CONFIG.spaces.A01 }
    for _, ends in ipairs { { "11:00", "13:00" }, { "13:00", "11:00" } } do
        local park, id = open(nil, config)
        local other = shared(park, { space_id = "A02" }).id
        for i, share_id in ipairs { id, other } do
            local booking = booked(park, share_id, "10:00", ends[i])
            park:at "10:00"
            act(park, booking, "arrive")
        end
        park:at "11:30"
        not_booked(park, 409, "parking/overdue-unpaid", id, "15:00", "16:00")
    end
end)

test("two bookings in a row are one stay, and nothing is overdue", function()
    for _, says in ipairs { "arrives", "leaves too", "says nothing" } do
        local park, id = open()
        local first = booked(park, id, "10:00", "11:00")
        local second = booked(park, id, "11:00", "12:00")
        park:enter(OTHER, "09:50")
        park:at "10:00"
        if says ~= "says nothing" then
            act(park, first, "arrive")
        end
        if says == "leaves too" then
            park:at "10:58"
            act(park, first, "leave")
        end
        park:at "11:01"
        if says == "leaves too" then
            act(park, second, "arrive")
        end
        expect(seen(park, first), { state = "finished", overdue_fen = 0 })
        expect(park:exit(OTHER, "11:50"), { action = "open", due_fen = 0 })
        park:at "12:00"
        expect(seen(park, second), { state = "finished", overdue_fen = 0 })
        tap.equal(park:anomalies(), "", says)
    end
end)

test("a booked stay that is closed by hand is a car that is gone", function()
    local park, id = open()
    local booking = booked(park, id, "10:00", "12:00")
    local session = park:enter(OTHER, "10:00").session_id
    act(park, booking, "arrive")
    park:at "12:30"
    park:close(session, { kind = "forced" })
    expect(seen(park, booking), { state = "overdue_unpaid",
        left_at = carpark.text "12:30", overdue_fen = 1000 })
end)

tap.finish()
