-- plates.lua: number plates as text, and whose they are.

local M = {}

local CJK_FIRST, CJK_LAST = 0x4e00, 0x9fff

-- Made up for a car that has none: 临 and seven of these.
local TEMP_HEAD = "临"
local TEMP_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
local TEMP_LENGTH = 7

local MASKED_ENDS = 2 -- characters that stay at either end

-- The rule of plugin.json's schemas: 7 or 8 of A-Z, 0-9 and Chinese
-- characters. For what comes by the query, which no schema judges.
---@param text string?
---@return boolean
function M.is_plate(text)
    local length = text and utf8.len(text)
    if length ~= 7 and length ~= 8 then
        return false
    end
    for _, code in utf8.codes(text) do
        local plain = code < 128 and string.char(code):find("^[A-Z0-9]")
        if not plain and not (code >= CJK_FIRST and code <= CJK_LAST) then
            return false
        end
    end
    return true
end

-- "沪A12345" as "沪A***45".
---@param plate string
---@return string
function M.mask(plate)
    local length = utf8.len(plate)
    if length <= 2 * MASKED_ENDS then
        return string.rep("*", length)
    end
    local head = plate:sub(1, utf8.offset(plate, MASKED_ENDS + 1) - 1)
    local tail = plate:sub(utf8.offset(plate, -MASKED_ENDS))
    return head .. string.rep("*", length - 2 * MASKED_ENDS) .. tail
end

---@return string
function M.temporary()
    local letters = {}
    for i = 1, TEMP_LENGTH do
        local at = math.random(#TEMP_LETTERS)
        letters[i] = TEMP_LETTERS:sub(at, at)
    end
    return TEMP_HEAD .. table.concat(letters)
end

-- The plates of the calling resident's household, for a purpose of
-- plugin.json; none if the host does not give them. They came with the call
-- where its route says so, and are asked for elsewhere: a car that was scanned
-- needs none (spec/parking.md, P45). Once for each call.
---@param call linli.Call
---@param purpose "entry"|"billing"
---@return string[]
function M.own(call, purpose)
    call.own_plates = call.own_plates or call.fields.plate
        or call.data:get { field = "plate", purpose = purpose } or {}
    return call.own_plates
end

-- Whether the plate is one of the calling resident's household.
---@param call linli.Call
---@param plate string
---@param purpose "entry"|"billing"
---@return boolean
function M.is_own(call, plate, purpose)
    for _, own in ipairs(M.own(call, purpose)) do
        if own == plate then
            return true
        end
    end
    return false
end

-- Whether the caller may know of a session or of a debt: residents of their
-- household's plates, and of what they scanned themselves.
---@param call linli.Call
---@param thing {plate: string, resident: string?}
---@return boolean
function M.visible(call, thing)
    if call.caller.kind ~= "resident" then
        return true
    end
    return thing.resident == call.resident.id 
        or M.is_own(call, thing.plate, "billing")
end

return M
