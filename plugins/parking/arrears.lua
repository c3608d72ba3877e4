-- arrears.lua: what plates owe for stays that ended unpaid.

local linli = require "linli"
local page = require "page"
local plates = require "plates"

local M = {}

-- One debt a session: its id is the session's.
---@param call linli.Call
---@param session table
---@param amount_fen integer
function M.add(call, session, amount_fen)
    call.db.arrear:insert {
        id = session.id,
        plate = session.plate,
        resident = session.resident,
        lot = session.lot,
        amount_fen = amount_fen,
        state = "owed",
        at = session.left_at,
    }
end

-- Whether the session's sum is still owed.
---@param call linli.Call
---@param session table
---@return boolean
function M.owed(call, session)
    local debt = call.db.arrear:get(session.id)
    return debt ~= nil and debt.state == "owed"
end

-- So much of the debt is paid; what is left stays owed.
---@param call linli.Call
---@param session table
---@param left_fen integer
function M.settle(call, session, left_fen)
    local changes = { amount_fen = left_fen }
    if left_fen == 0 then
        changes = { state = "paid", settled_at = call.now }
    end
    call.db.arrear:patch(session.id, changes)
end

local function view(_, debt)
    return {
        session_id = debt.id,
        plate_masked = plates.mask(debt.plate),
        lot = debt.lot,
        amount_fen = debt.amount_fen,
        state = debt.state,
        at = linli.time.format(debt.at),
    }
end

-- Residents: of their household's plates, and their own debts of a temporary
-- plate. Of another plate they learn nothing, not even that it has none.
function M.list(call)
    local plate = call.query.plate
    if not plates.is_plate(plate) then
        call:fail("parking/query-invalid", "plate is 7 or 8 characters")
    end
    local range = { index = "by_plate", eq = { plate } }
    if call.caller.kind == "resident"
        and not plates.is_own(call, plate, "billing") then
        range = { index = "by_resident_plate",
            eq = { call.resident.id, plate } }
        if not call.db.arrear:find("by_resident_plate",
            call.resident.id, plate) then
            call:fail("parking/plate-unknown")
        end
    end
    return 200, page.answer(call, "arrear", { range }, view)
end

return M
