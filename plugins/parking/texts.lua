-- texts.lua: what a gate's display shows, by the reason of a decision.

local linli = require "linli"

local M = {}

local TEXTS = {
    already_inside = { "车辆已在场内, 请联系管理员",
        "Already inside: please ask the staff" },
    arrears = { "一路平安", "Safe journey" },
    closed = { "一路平安", "Safe journey" },
    denied = { "禁止入场", "No entry" },
    entered = { "欢迎光临", "Welcome" },
    left = { "一路平安", "Safe journey" },
    manual = { "请通行", "Please go" },
    no_entry = { "无入场记录, 请联系管理员",
        "No entry on record: please ask the staff" },
    no_plate = { "未识别车牌, 请扫码", "Plate not read: please scan the code" },
    paid = { "已缴费, 请通行", "Paid: please go" },
    payment_due = { "请缴费 %s 元", "Please pay %s yuan" },
    wrong_direction = { "请走其他通道", "Please take another lane" },
}

-- Why a sum goes back; people of both languages read it at the provider.
M.CANCELLED = "预订取消 booking cancelled"
M.REFUND = "停车费退款 parking refund"
M.OVERPAID = "多付退回 overpaid"

-- What a payment is called.
local TITLES = {
    booking = { "共享车位", "Shared parking space" },
    overdue = { "共享车位超时", "Shared space, time overdue" },
    pass = { "停车月卡", "Parking pass" },
    stay = { "停车费", "Parking" },
}

---@param kind string
---@return string
function M.title(kind)
    local title = TITLES[kind]
    return linli.config.language == "en" and title[2] or title[1]
end

local function yuan(fen)
    return string.format("%d.%02d", fen // 100, fen % 100)
end

-- The text for a reason, in the language of the displays.
---@param reason string
---@param due_fen integer
---@return string
function M.display(reason, due_fen)
    local text = TEXTS[reason]
    text = linli.config.language == "en" and text[2] or text[1]
    return (string.gsub(text, "%%s", yuan(due_fen)))
end

return M
