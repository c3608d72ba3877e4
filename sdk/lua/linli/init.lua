-- linli: what a Lua plugin is written with. spec/lua.md is normative;
-- library/linli.lua annotates it for editors.
local core = ...
local money = require "linli.money"
local time = require "linli.time"

-- Durations in milliseconds, as all instants are.
local linli = {
  second = 1000,
  minute = 60 * 1000,
  hour = 60 * 60 * 1000,
  day = 24 * 60 * 60 * 1000,

  plugin = core.plugin,
  config = core.config,
  fetch = require "linli.fetch",
  null = core.null,
  array = core.array,
  json = require "linli.json",
  money = money,
  time = time,
}

local log = core.log
linli.log = {
  debug = function(text) log(0, text) end,
  info = function(text) log(1, text) end,
  warn = function(text) log(2, text) end,
  error = function(text) log(3, text) end,
}

-- What call:await takes: the payment parameters of a payment just made.
function linli.paid(id)
  return { paid = id }
end

-- Stands for a secret's value, in the value of a fetch's header.
function linli.secret(name)
  return "{{secret:" .. name .. "}}"
end

return linli
