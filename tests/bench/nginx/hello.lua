-- hello.lua: GET /hello under nginx.

local cjson = require "cjson.safe"
local price = require "price"

local text = cjson.encode(price.hello())
ngx.header.content_type = "application/json"
ngx.header.content_length = #text
ngx.print(text)
