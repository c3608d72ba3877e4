-- test/fake_services.lua: payments, refunds, jobs and messages without a
-- provider, on the world's clock.
--
-- A payment stays pending until the test says what became of it:
--
--   world:pay(id)                        the provider's notice that it is paid
--   world:pay(id, { transaction = "t2" })  another transaction of it
--   world:pay(id, { untold = true })     the plugin will hear of it later
--   world:tell_again(id)                 now, or once more
--   world:refuse_next()                  the provider takes no sum, once
--   world.no_adapter = "cash"            a channel that nobody serves
--   world:refunded(id)                   a refund is done
--
-- All of it belongs to the call's transaction, as in the runtime: a call that
-- fails has asked for nothing.

local fake_db = require "fake_db"

local M = {}

local FEN_MAX = 10000000000
local TITLE_BYTES_MAX, REASON_BYTES_MAX = 127, 80
local WINDOW_MS = 15 * 60000

local function member(options, name, kind)
    local value = options[name]
    assert(math.type(value) == kind or type(value) == kind,
        name .. " is no " .. kind)
    return value
end

local function listed(list, name)
    for _, item in ipairs(list or {}) do
        if item == name then
            return true
        end
    end
    return false
end

local function only(options, names)
    for name in pairs(options) do
        assert(names[name], "not an option: " .. name)
    end
end

-- -- what a call asks for -------------------------------------------------

local PAY = { amount_fen = true, title = true, channel = true, pay_by = true,
    subject = true, with = true }

local function pay(world, options)
    only(options, PAY)
    assert(world.manifest.payments, "not declared: payments")
    local amount = member(options, "amount_fen", "integer")
    assert(amount >= 1 and amount <= FEN_MAX, "amount_fen")
    assert(#member(options, "title", "string") <= TITLE_BYTES_MAX, "title")
    local channel = member(options, "channel", "string")
    assert(channel:find "^[a-z][a-z0-9_-]*$", "channel")
    if channel == world.no_adapter then
        error("call:pay: payments/no-adapter: " .. channel, 0)
    end
    local pay_by = options.pay_by or world.now + WINDOW_MS
    assert(pay_by > world.now, "pay_by has passed")
    local payment = { id = "pay" .. world.db:new_id(), state = "creating",
        amount_fen = amount, pay_by = pay_by, title = options.title,
        channel = channel, subject = options.subject,
        with = fake_db.copy(options.with or {}), created_at = world.now,
        refunded_fen = 0 }
    world.payments[payment.id] = payment
    return { id = payment.id, state = "creating", amount_fen = amount }
end

-- Payments are never changed in place: a call may yet be rolled back.
local function change(world, id, changes)
    local payment = {}
    for name, value in pairs(world.payments[id]) do
        payment[name] = value
    end
    for name, value in pairs(changes) do
        payment[name] = value
    end
    world.payments[id] = payment
    return payment
end

local PAID = { paid = true, partially_refunded = true }

local function refund(world, options)
    only(options, { payment = true, amount_fen = true, reason = true,
        key = true })
    local payment = assert(world.payments[options.payment], "no payment")
    local amount = member(options, "amount_fen", "integer")
    assert(#member(options, "reason", "string") <= REASON_BYTES_MAX,
        "reason")
    local id = options.payment .. "/" .. member(options, "key", "string")
    for _, done in ipairs(world.refunds) do
        if done.id == id then
            assert(done.amount_fen == amount, "the key was another refund's")
            return { id = id, state = done.state }
        end
    end
    assert(PAID[payment.state] and amount >= 1
        and payment.refunded_fen + amount <= payment.amount_fen,
        "more than was paid")
    change(world, payment.id,
        { refunded_fen = payment.refunded_fen + amount })
    table.insert(world.refunds, { id = id, payment = payment.id,
        amount_fen = amount, reason = options.reason, state = "pending" })
    return { id = id, state = "pending" }
end

local function notify(world, options)
    only(options, { to = true, template = true, with = true, key = true })
    assert(#member(options, "to", "string") == 32, "`to` is no pid")
    local template = (world.manifest.notifications or {})[options.template]
    assert(template, "not declared: " .. options.template)
    for language, text in pairs(template.text) do
        local left = fake_db.copy(options.with)
        for name in text:gmatch "{([%w_]+)}" do
            assert(options.with[name] ~= nil, language .. ": no " .. name)
            left[name] = nil
        end
        assert(next(left) == nil, "no place for " .. tostring(next(left)))
    end
    for _, message in ipairs(world.messages) do
        if options.key and message.key == options.key then
            return
        end
    end
    local text = template.text["zh-CN"]:gsub("{([%w_]+)}", function(name)
        return tostring(options.with[name])
    end)
    table.insert(world.messages, { to = options.to, at = world.now,
        template = options.template, text = text, key = options.key })
end

local function job(world, options)
    only(options, { run = true, with = true, key = true, at = true,
        subject = true })
    assert(listed(world.manifest.jobs, options.run),
        "not declared: job " .. tostring(options.run))
    local key = options.key or world.db:new_id()
    world.jobs[key] = { run = options.run, key = key,
        at = options.at or world.now, with = fake_db.copy(options.with) }
    return key
end

-- What the host gives of residents: what the world says, for a use that the
-- manifest declares.
local function data_get(world, options)
    only(options, { resident = true, field = true, purpose = true })
    local declared = false
    for _, use in ipairs(world.manifest.data or {}) do
        declared = declared or use.field == options.field
            and use.purpose == options.purpose
    end
    assert(declared, "not declared: " .. options.field)
    local found = (world.data or {})[options.field]
    local value = found and found[options.resident]
    if value == nil then
        return nil, { code = "consent/required", fields = { options.field } }
    end
    return fake_db.copy(value)
end

-- Adds call.data, call:pay, refund, payment, notify, job and await. `spend` is asked
-- before each.
function M.add_methods(world, call, spend)
    for name, ask in pairs { pay = pay, refund = refund, notify = notify,
        job = job } do
        call[name] = function(_, options)
            spend(true)
            return ask(world, options)
        end
    end
    call.data = { get = function(_, options)
        spend(false)
        return data_get(world, options)
    end }
    function call.payment(_, id)
        spend(false)
        return fake_db.copy(world.payments[id])
    end
    function call.await(_, what, step, state)
        assert(listed(world.manifest.answers, step),
            "not declared: answer " .. tostring(step))
        return { awaits = what, step = step, state = fake_db.copy(state) }
    end
end

-- -- a transaction --------------------------------------------------------

local LISTS, MAPS = { "refunds", "messages" }, { "payments", "jobs" }

function M.begin(world)
    world.payments, world.refunds = {}, {}
    world.messages, world.jobs = {}, {}
end

function M.snapshot(world)
    local kept = {}
    for _, name in ipairs(LISTS) do
        kept[name] = table.move(world[name], 1, #world[name], 1, {})
    end
    for _, name in ipairs(MAPS) do
        kept[name] = {}
        for key, value in pairs(world[name]) do
            kept[name][key] = value
        end
    end
    return kept
end

function M.restore(world, kept)
    for name, value in pairs(kept) do
        world[name] = value
    end
end

-- -- what comes from outside ----------------------------------------------

local function tell(world, payment, refund_id)
    local told = fake_db.copy(payment)
    told.refund_id = refund_id
    world:system("payment", "payment", told)
    world:settle()
end

-- The provider's create call, when the call that asked is committed. Returns
-- the payment.
function M.create(world, id)
    if world.payments[id].state ~= "creating" then
        return world.payments[id]
    elseif world.refuses then
        world.refuses = false
        tell(world, change(world, id, { state = "failed" }))
    else
        change(world, id, { state = "pending",
            pay_params = { sim = id } })
    end
    return world.payments[id]
end

function M.expire(world, id)
    tell(world, change(world, id, { state = "expired" }))
end

local LIVE = { creating = true, pending = true }

-- The payments whose window ends first, not after `until_ms`.
function M.next_expiry(world, until_ms)
    local first
    for _, payment in pairs(world.payments) do
        if LIVE[payment.state] and payment.pay_by <= until_ms
            and (not first or payment.pay_by < first.pay_by) then
            first = payment
        end
    end
    return first
end

local World = {}

function World:refuse_next()
    self.refuses = true
end

-- A notice. What is late, or a second transaction, the runtime pays back; a
-- wrong amount it holds. The plugin hears of neither.
function World:pay(id, options)
    options = options or {}
    local payment = assert(self.payments[id], "no payment " .. tostring(id))
    local transaction = options.transaction or "t1"
    if (options.amount or payment.amount_fen) ~= payment.amount_fen then
        return "flagged"
    elseif payment.transaction == transaction then
        return "duplicate"
    elseif not LIVE[payment.state] or self.now >= payment.pay_by then
        return payment.transaction and "second" or "late"
    end
    local paid = change(self, id, { state = "paid", paid_at = self.now,
        transaction = transaction })
    if not options.untold then
        tell(self, paid)
    end
    return "accepted"
end

-- The plugin is told once more, as after a crash of its worker.
function World:tell_again(id)
    tell(self, self.payments[id])
end

function World:refunded(id)
    for i, refund in ipairs(self.refunds) do
        if refund.id == id then
            self.refunds[i] = { id = id, payment = refund.payment,
                amount_fen = refund.amount_fen, reason = refund.reason,
                state = "done" }
            local payment = self.payments[refund.payment]
            tell(self, change(self, payment.id, { state =
                payment.refunded_fen == payment.amount_fen and "refunded"
                    or "partially_refunded" }), id)
        end
    end
end

-- What was paid back, in all.
function World:refunded_fen()
    local sum = 0
    for _, refund in ipairs(self.refunds) do
        sum = sum + refund.amount_fen
    end
    return sum
end

M.methods = World

return M
