/* tests/unit/test_manifest_data.c: what a plugin keeps, counts and tells, and
 * what its routes promise. */
#include "manifest_rows.h"

static const char full[] =
    "{'id':'park-1','version':'1.0.0','abi':1,'runtime':'lua',"
    "'main':'main.lua',"
    "'collections':{"
    "'booking':{'indexes':{"
    "'by_state':{'fields':['state','pay_by']},"
    "'open_plate':{'sparse':true,'unique':true,'fields':['open_plate']},"
    "'by_space':{'fields':['space_id'],'interval':"
    "{'longest_ms':864000000,'to':'to','from':'from'}}},"
    "'subject':'resident','retention':{'days':90,'from':'left_at'},"
    "'doc_bytes':16384},"
    "'lot':{},"
    "'seen':{'retention':{'days':1}}},"
    "'meters':{'park-1.session_closed':{'kind':'count','unit':'session',"
    "'title':{'zh-CN':'停车','en':'Parking'}},"
    "'park-1.entry':{'kind':'count','unit':'car','max_per_call':10,"
    "'aggregate':'max'},"
    "'park-1.gmv_fen':{'kind':'sum','unit':'fen','max_per_call':100000000}},"
    "'timers':['expire_booking','sweep'],"
    "'events':{'publishes':['park-1.gate_command'],"
    "'handles':['shop.order_paid','park-1.gate_command']},"
    "'alerts':['park-1.anomaly'],'directory':['household'],"
    "'notifications':{'due':{'channels':['sms','voice','push'],'text':"
    "{'en':'{fen} fen for {plate}','zh-CN':'{plate}{fen}{plate}'}},"
    "'hello':{'channels':['voice'],'text':{'en':'{{','zh-CN':'}}'}}},"
    "'routes':["
    "{'method':'GET','path':'/a','caller':['app'],'ack':'relaxed'},"
    "{'method':'POST','path':'/lots/:lot/gates/:gate/"
    "entry','caller':['device'],"
    "'billed':false,'safety':true,'bound':'gate',"
    "'fallback':{'body':{'action':'open', 'n':[1, null]},'status':202}},"
    "{'method':'GET','path':'/lots/:lot/gates/:gate/feed',"
    "'caller':['device','staff'],'bound':'gate','safety':true,"
    "'feed':{'event':'park-1.gate_command',"
    "'where':{'gate':'gate','at lot':'lot'}}},"
    "{'method':'PUT','path':'/ping','caller':['device'],"
    "'fallback':{'status':204}},"
    "{'method':'GET','path':'/all','caller':['app'],"
    "'feed':{'event':'park-1.gate_command'}}]}";

static struct ll_mem mem;

/* NULL, and a failed check, if it is refused. */
static struct ll_manifest *
read_row(const char *row)
{
    char text[ROW_TEXT_BYTES];
    struct ll_manifest *m;
    struct ll_err err;
    row_text(row, text);
    T_INT(read_text(&mem, text, &m, &err), LINLI_OK);
    if (m == NULL)
        printf("# %s: %s\n", err.where, err.msg);
    return m;
}

T_CASE(reads_collections)
{
    struct ll_manifest *m = read_row(full);
    if (m == NULL)
        return;
    T_INT(m->collection_count, 3);
    const struct ll_collection_decl *c =
        ll_manifest_collection(m, LINLI_STR("booking"));
    T_OK(c == &m->collections[0]);
    T_STR(c->name, "booking");
    T_STR(c->subject, "resident");
    T_INT(c->retention_ms, 90 * 86400000LL);
    T_STR(c->retention_from, "left_at");
    T_INT(c->doc_bytes, 16384);
    T_OK(ll_jv_there(ll_jv_get(c->declared, "indexes")));
    T_INT(c->index_count, 3);
    T_OK(ll_manifest_index(c, LINLI_STR("by_plate")) == NULL);
    const struct ll_index_decl *i =
        ll_manifest_index(c, LINLI_STR("open_plate"));
    T_OK(i == &c->indexes[1]);
    T_STR(i->name, "open_plate");
    T_STR(i->text,
        "{\"fields\":[\"open_plate\"],\"unique\":true,\"sparse\":true}");
    T_OK(i->spec.unique && i->spec.sparse && !i->spec.interval);
    i = ll_manifest_index(c, LINLI_STR("by_space"));
    T_STR(i->text, "{\"fields\":[\"space_id\"],\"interval\":{\"from\":\"from\","
                   "\"to\":\"to\",\"longest_ms\":864000000}}");
    T_OK(i->spec.interval);
    T_STR(i->spec.from, "from");
    T_STR(i->spec.to, "to");
    T_INT(i->spec.longest_ms, 864000000);
    T_INT(c->indexes[0].spec.field_count, 2);
    T_STR(c->indexes[0].spec.fields[1], "pay_by");
    c = ll_manifest_collection(m, LINLI_STR("lot"));
    T_INT(c->index_count, 0);
    T_STR(c->subject, "");
    T_INT(c->retention_ms, 0);
    T_INT(c->doc_bytes, LL_DOC_BYTES_DEFAULT);
    T_INT(m->collections[2].retention_ms, 86400000);
    T_STR(m->collections[2].retention_from, "");
    T_OK(ll_manifest_collection(m, LINLI_STR("lots")) == NULL);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(reads_names)
{
    struct ll_manifest *m = read_row(full);
    if (m == NULL)
        return;
    T_INT(m->meter_count, 3);
    const struct ll_meter_decl *meter =
        ll_manifest_meter(m, LINLI_STR("park-1.session_closed"));
    T_OK(meter == &m->meters[0] && !meter->sum);
    T_STR(meter->unit, "session");
    T_STR(meter->title_zh, "停车");
    T_STR(meter->title_en, "Parking");
    T_INT(m->meters[1].title_zh.len + m->meters[1].title_en.len, 0);
    T_INT(meter->max_per_call, LL_METER_CALL_DEFAULT);
    T_INT(m->meters[1].max_per_call, 10);
    T_INT(m->meters[0].aggregate, LL_AGGREGATE_SUM);
    T_INT(m->meters[1].aggregate, LL_AGGREGATE_MAX);
    meter = ll_manifest_meter(m, LINLI_STR("park-1.gmv_fen"));
    T_OK(meter != NULL && meter->sum && meter->max_per_call == 100000000);
    T_OK(ll_manifest_meter(m, LINLI_STR("gmv_fen")) == NULL);
    T_INT(m->timer_count, 2);
    T_INT(ll_manifest_timer(m, LINLI_STR("expire_booking")), 0);
    T_INT(ll_manifest_timer(m, LINLI_STR("sweep")), 1);
    T_INT(ll_manifest_timer(m, LINLI_STR("")), -1);
    T_INT(m->publish_count, 1);
    T_STR(m->publishes[0], "park-1.gate_command");
    T_OK(ll_manifest_publishes(m, LINLI_STR("park-1.gate_command")));
    T_OK(!ll_manifest_publishes(m, LINLI_STR("shop.order_paid")));
    T_INT(m->handle_count, 2);
    T_INT(ll_manifest_handles(m, LINLI_STR("shop.order_paid")), 0);
    T_INT(ll_manifest_handles(m, LINLI_STR("shop.order")), -1);
    T_INT(m->alert_count, 1);
    T_OK(ll_manifest_alert(m, LINLI_STR("park-1.anomaly")));
    T_OK(!ll_manifest_alert(m, LINLI_STR("park-1.gate_command")));
    T_OK(m->directory_household);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(reads_notifications)
{
    struct ll_manifest *m = read_row(full);
    if (m == NULL)
        return;
    T_INT(m->notification_count, 2);
    const struct ll_notification_decl *n =
        ll_manifest_notification(m, LINLI_STR("due"));
    T_OK(n == &m->notifications[0]);
    T_INT(n->channel_count, 3);
    T_INT(n->channels[0], LL_WAY_SMS);
    T_INT(n->channels[1], LL_WAY_VOICE);
    T_INT(n->channels[2], LL_WAY_PUSH);
    T_STR(n->zh.text, "{plate}{fen}{plate}");
    T_STR(n->en.text, "{fen} fen for {plate}");
    T_OK(n->zh.name_count == 2 && n->en.name_count == 2);
    n = ll_manifest_notification(m, LINLI_STR("hello"));
    T_OK(n->channel_count == 1 && n->zh.name_count == 0);
    T_OK(ll_manifest_notification(m, LINLI_STR("owed")) == NULL);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(reads_what_routes_promise)
{
    struct ll_manifest *m = read_row(full);
    if (m == NULL)
        return;
    const struct ll_route *r = &m->routes[0];
    T_OK(r->relaxed && r->billed && !r->safety && !r->feed);
    T_OK(!ll_jv_there(r->fallback));
    T_INT(r->fallback_status, 0);
    T_STR(r->fallback_body, "");
    T_INT(r->bound_param, -1);
    r = &m->routes[1];
    T_INT(r->callers, 1 << LL_CALLER_DEVICE);
    T_OK(!r->relaxed && !r->billed && r->safety && !r->safe);
    T_OK(ll_jv_there(r->fallback));
    T_INT(r->fallback_status, 202);
    T_STR(r->fallback_body, "{\"action\":\"open\",\"n\":[1,null]}");
    T_INT(r->bound_param, 1);
    r = &m->routes[2];
    T_OK(r->feed && r->billed);
    T_STR(r->feed_event, "park-1.gate_command");
    T_INT(r->feed_where_count, 2);
    T_STR(r->feed_where[0].member, "gate");
    T_INT(r->feed_where[0].param, 1);
    T_STR(r->feed_where[1].member, "at lot");
    T_INT(r->feed_where[1].param, 0);
    T_INT(r->bound_param, 1);
    r = &m->routes[3];
    T_INT(r->fallback_status, 204);
    T_STR(r->fallback_body, "");
    r = &m->routes[4];
    T_OK(r->feed);
    T_INT(r->feed_where_count, 0);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_CASE(has_nothing_undeclared)
{
    struct ll_manifest *m = read_row(",'events':{},'directory':[]");
    if (m == NULL)
        return;
    T_INT(m->collection_count + m->meter_count + m->timer_count +
              m->publish_count + m->handle_count + m->alert_count +
              m->notification_count,
        0);
    T_OK(!m->directory_household);
    T_OK(ll_manifest_collection(m, LINLI_STR("")) == NULL);
    T_OK(ll_manifest_meter(m, LINLI_STR("")) == NULL);
    T_INT(ll_manifest_timer(m, LINLI_STR("")), -1);
    T_OK(!ll_manifest_publishes(m, LINLI_STR("")));
    T_INT(ll_manifest_handles(m, LINLI_STR("")), -1);
    T_OK(!ll_manifest_alert(m, LINLI_STR("")));
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

/* -- one index, one text -- */

#define INDEX(decl) ",'collections':{'c':{'indexes':{'i':" decl "}}}"

T_CASE(writes_an_index_one_way)
{
    static const struct {
        const char *declared, *text;
    } table_of[] = {
        {"{'fields':['a','b']}", "{'fields':['a','b']}"},
        {"{'unique':false,'fields':['b' , 'a'],'sparse':false}",
            "{'fields':['b','a']}"},
        {"{'sparse':true,'unique':true,'fields':['\\u0061']}",
            "{'fields':['a'],'unique':true,'sparse':true}"},
        {"{'interval':{'longest_ms':8.64e7,'to':'t','from':'f'},"
         "'fields':['a'],'sparse':true}",
            "{'fields':['a'],'sparse':true,'interval':"
            "{'from':'f','to':'t','longest_ms':86400000}}"},
        {"{'fields':['a\\nb','\xe8\xbd\xa6']}",
            "{'fields':['a\\nb','\xe8\xbd\xa6']}"},
    };
    for (size_t i = 0; i < LL_COUNT(table_of); i++) {
        char row[512], want[ROW_TEXT_BYTES];
        (void)snprintf(row, sizeof row, INDEX("%s"), table_of[i].declared);
        row_text(table_of[i].text, want);
        struct ll_manifest *m = read_row(row);
        if (m == NULL)
            continue;
        T_STR(m->collections[0].indexes[0].text, want);
        ll_manifest_free(&m);
        T_INT(mem.used_bytes, 0);
    }
}

/* -- refusals -- */

#define COLLECTION(decl) ",'collections':{'c':{" decl "}}"
#define METER(name, decl) ",'meters':{'" name "':{" decl "}}"
#define INVALID "manifest/invalid"
#define IN_I "/collections/c/indexes/i"
#define NOTIFY(channels, zh, en)                                          \
    ",'notifications':{'n':{'channels':" channels ",'text':{'zh-CN':'" zh \
    "','en':'" en "'}}}"
#define IN_N "/notifications/n"

static const struct row data_rows[] = {
    /* the directory */
    {",'directory':['household']", "", "", ""},
    {",'directory':['plates']", INVALID, "/directory/0", "call.fields.plate"},
    {",'directory':['household','plates']", INVALID, "/directory/1",
        "call.fields.plate"},
    {",'directory':['phone']", INVALID, "/directory/0", "allowed values"},
    {",'directory':'plates'", INVALID, "/directory", ""},
    /* collections */
    {",'collections':{'Booking':{}}", INVALID, "/collections/Booking", "match"},
    {",'collections':{'~pid':{}}", INVALID, "", "match"},
    {",'collections':{'a234567890123456789012345678901234567890123456_8':{}}",
        "", "", ""},
    {",'collections':{'a2345678901234567890123456789012345678901234567_9':{}}",
        INVALID, "", "match"},
    {COLLECTION("'index':{}"), INVALID, "/collections/c/index",
        "did you mean \"indexes\"?"},
    {COLLECTION("'subject':''"), INVALID, "/collections/c/subject", ""},
    {COLLECTION("'doc_bytes':256"), "", "", ""},
    {COLLECTION("'doc_bytes':255"), INVALID, "/collections/c/doc_bytes", ""},
    {COLLECTION("'doc_bytes':262144"), "", "", ""},
    {COLLECTION("'doc_bytes':262145"), INVALID, "/collections/c/doc_bytes", ""},
    {COLLECTION("'retention':{'days':1}"), "", "", ""},
    {COLLECTION("'retention':{'days':0}"), INVALID,
        "/collections/c/retention/days", ""},
    {COLLECTION("'retention':{'days':3650}"), "", "", ""},
    {COLLECTION("'retention':{'days':3651}"), INVALID,
        "/collections/c/retention/days", ""},
    {COLLECTION("'retention':{'from':'a'}"), INVALID,
        "/collections/c/retention", "\"days\" is missing"},
    /* indexes */
    {INDEX("{}"), INVALID, IN_I, "\"fields\" is missing"},
    {INDEX("{'fields':[]}"), INVALID, IN_I "/fields", "0 items"},
    {INDEX("{'fields':['a','b','c','d','e','f','g','h']}"), "", "", ""},
    {INDEX("{'fields':['a','b','c','d','e','f','g','h','i']}"), INVALID,
        IN_I "/fields", "9 items"},
    {INDEX("{'fields':['a','a']}"), INVALID, IN_I "/fields/1", "twice"},
    {INDEX("{'fields':['']}"), INVALID, IN_I "/fields/0", ""},
    {INDEX("{'fields':['a'],'interval':{'from':'f','to':'t'}}"), INVALID,
        IN_I "/interval", "\"longest_ms\" is missing"},
    {INDEX("{'fields':['a'],'interval':{'from':'f','to':'t',"
           "'longest_ms':3155760000000}}"),
        "", "", ""},
    {INDEX("{'fields':['a'],'interval':{'from':'f','to':'t',"
           "'longest_ms':3155760000001}}"),
        INVALID, IN_I "/interval/longest_ms", ""},
    {INDEX("{'fields':['a'],'interval':{'from':'f','to':'t',"
           "'longest_ms':0}}"),
        INVALID, IN_I "/interval/longest_ms", ""},
    {INDEX("{'fields':['a'],'interval':{'from':'f','to':'f',"
           "'longest_ms':9}}"),
        INVALID, IN_I "/interval/to", "both ends"},
    {INDEX("{'fields':['a'],'unique':true,'interval':{'from':'f','to':'t',"
           "'longest_ms':9}}"),
        INVALID, IN_I "/unique", "Ask `overlaps`"},
    /* meters */
    {METER("probe.a", "'kind':'count'"), INVALID, "/meters/probe.a",
        "\"unit\" is missing"},
    {METER("probe.a", "'kind':'count','unit':'x','title':{'en':'A'}"), INVALID,
        "/meters/probe.a/title", "zh-CN"},
    {METER("a", "'kind':'count','unit':'x'"), INVALID, "/meters/a",
        "Write it as \"probe.WORD\""},
    {METER("A.b", "'kind':'count','unit':'x'"), INVALID, "/meters/A.b",
        "the plugin's id, a dot and a word"},
    {METER("probe.a", "'kind':'count','unit':'X'"), INVALID,
        "/meters/probe.a/unit", "match"},
    {METER("shop.a", "'kind':'count','unit':'x'"), INVALID, "/meters/shop.a",
        "Write \"probe.a\""},
    {METER("probe-2.a", "'kind':'count','unit':'x'"), INVALID,
        "/meters/probe-2.a", "Write \"probe.a\""},
    {METER("probe.a", "'kind':'max','unit':'x'"), INVALID,
        "/meters/probe.a/kind", "\"count\", \"sum\""},
    {METER("probe.a", "'kind':'sum','unit':'x'"), INVALID, "/meters/probe.a",
        "needs max_per_call"},
    {METER("probe.a", "'kind':'count','unit':'x','aggregate':'unique'"), "", "",
        ""},
    {METER("probe.a", "'kind':'sum','unit':'x','max_per_call':9,"
                      "'aggregate':'last'"),
        "", "", ""},
    {METER("probe.a", "'kind':'count','unit':'x','aggregate':'mean'"), INVALID,
        "/meters/probe.a/aggregate", "\"sum\", \"max\""},
    {METER("probe.a", "'kind':'sum','unit':'x','max_per_call':9,"
                      "'aggregate':'unique'"),
        INVALID, "/meters/probe.a", "counts them"},
    {METER("probe.a", "'kind':'sum','unit':'x','max_per_call':1000000000"), "",
        "", ""},
    {METER("probe.a", "'kind':'sum','unit':'x','max_per_call':1000000001"),
        INVALID, "/meters/probe.a/max_per_call", ""},
    {METER("probe.a", "'kind':'count','unit':'x','max_per_call':0"), INVALID,
        "/meters/probe.a/max_per_call", ""},
    {METER("probe.a", "'kind':'count','unit':'x','max_per_call':1.5"), INVALID,
        "/meters/probe.a/max_per_call", "wanted an integer"},
    /* timers, events, alerts */
    {",'timers':['a','a']", INVALID, "/timers/1", "twice"},
    {",'timers':['a.b']", INVALID, "/timers/0", "match"},
    {",'events':{'publish':[]}", INVALID, "/events/publish", "\"publishes\"?"},
    {",'events':{'publishes':['shop.paid']}", INVALID, "/events/publishes/0",
        "Write \"probe.paid\""},
    {",'events':{'handles':['paid']}", INVALID, "/events/handles/0",
        "Write it as \"ID.WORD\""},
    {",'events':{'publishes':['paid']}", INVALID, "/events/publishes/0",
        "Write it as \"probe.WORD\""},
    {",'alerts':['fire']", INVALID, "/alerts/0", "\"probe.WORD\""},
    {",'events':{'handles':['a-b.c','a-b.c']}", INVALID, "/events/handles/1",
        "twice"},
    {",'events':{'handles':['shop.paid','probe.done']}", "", "", ""},
    {",'alerts':['shop.fire']", INVALID, "/alerts/0",
        "an alert starts with the plugin's id"},
    /* notifications */
    {NOTIFY("['push']", "a", "b"), "", "", ""},
    {NOTIFY("['push','sms','voice']", "{a}", "{a}"), "", "", ""},
    {NOTIFY("[]", "a", "b"), INVALID, IN_N "/channels", ""},
    {NOTIFY("['fax']", "a", "b"), INVALID, IN_N "/channels/0", "push"},
    {NOTIFY("['sms','sms']", "a", "b"), INVALID, IN_N "/channels/1", "twice"},
    {NOTIFY("['sms']", "", "b"), INVALID, IN_N "/text/zh-CN", ""},
    {NOTIFY("['sms']", "{", "b"), INVALID, IN_N "/text/zh-CN", "{{ or }}"},
    {NOTIFY("['sms']", "a", "{A}"), INVALID, IN_N "/text/en", "no place"},
    {NOTIFY("['sms']", "a\\tb", "a"), INVALID, IN_N "/text/zh-CN", "control"},
    {NOTIFY("['sms']", "{a}", "{b}"), INVALID, IN_N "/text/en", "\"{a}\""},
    {NOTIFY("['sms']", "{a}", "{a}{b}"), INVALID, IN_N "/text/zh-CN",
        "Name the same places"},
    {",'notifications':{'n':{'channels':['sms'],'text':{'en':'a'}}}", INVALID,
        IN_N "/text", "\"zh-CN\" is missing"},
    {",'notifications':{'n':{'channels':['sms']}}", INVALID, IN_N,
        "\"text\" is missing"},
    {",'notifications':{'n.a':{'channels':['sms'],'text':"
     "{'en':'a','zh-CN':'a'}}}",
        INVALID, "/notifications/n.a", "match"},
};

_Static_assert(LL_DOC_BYTES_MIN == 256, "the rows above");
_Static_assert(LL_DOC_BYTES_MAX == 262144, "the rows above");
_Static_assert(LL_RETENTION_DAYS_MAX == 3650, "the rows above");
_Static_assert(LL_INTERVAL_MS_MAX == 3155760000000, "the rows above");
_Static_assert(LL_METER_CALL_MAX == 1000000000, "the rows above");
_Static_assert(LL_INDEX_FIELDS_MAX == 8, "the rows above");

T_CASE(refuses_bad_data)
{
    check_rows(data_rows, LL_COUNT(data_rows));
}

#define DEVICE(rest)                                                          \
    ",'routes':[{'method':'POST','path':'/g/:gate','caller':['device']," rest \
    "}]"
#define POST(rest)                                                             \
    ",'routes':[{'method':'POST','path':'/g/:gate','caller':['app']," rest "}" \
    "]"
#define GET(rest)                                                     \
    ",'events':{'publishes':['probe.go']},'routes':[{'method':'GET'," \
    "'path':'/g/:gate','caller':['app','device']," rest "}]"
#define FALLBACK "'fallback':{'status':200,'body':{}}"
#define R0 "/routes/0"

static const struct row route_rows[] = {
    /* ack */
    {POST("'ack':'relaxed'"), "", "", ""},
    {POST("'ack':'relaxed','safe':true,'billed':false"), "", "", ""},
    {POST("'ack':'durable'"), INVALID, R0 "/ack", "\"relaxed\""},
    {POST("'ack':'relaxed','safety':true"), INVALID, R0 "/ack", "with safety"},
    {POST("'ack':'relaxed','safety':false"), "", "", ""},
    {DEVICE("'ack':'relaxed'"), INVALID, R0 "/ack", "\"device\""},
    {DEVICE("'ack':'relaxed'," FALLBACK), INVALID, R0 "/ack", "a fallback"},
    {",'routes':[{'method':'POST','path':'/','caller':['app','device'],"
     "'ack':'relaxed'}]",
        INVALID, R0 "/ack", "\"device\""},
    {",'events':{'publishes':['probe.go']},'routes':[{'method':'GET',"
     "'path':'/','caller':['app'],'ack':'relaxed','feed':"
     "{'event':'probe.go'}}]",
        INVALID, R0 "/ack", "a feed"},
    {POST("'billed':1"), INVALID, R0 "/billed", "boolean"},
    /* fallback */
    {DEVICE(FALLBACK), "", "", ""},
    {DEVICE("'safety':true," FALLBACK), "", "", ""},
    {DEVICE("'fallback':{'status':299}"), "", "", ""},
    {DEVICE("'fallback':{'status':300}"), INVALID, R0 "/fallback/status", ""},
    {DEVICE("'fallback':{'status':199}"), INVALID, R0 "/fallback/status", ""},
    {DEVICE("'fallback':{'body':1}"), INVALID, R0 "/fallback",
        "\"status\" is missing"},
    {DEVICE("'fallback':{'status':204,'body':null}"), INVALID, R0 "/fallback",
        "204 has no body"},
    {DEVICE("'safe':true," FALLBACK), INVALID, R0 "/fallback",
        "a safe route has no fallback"},
    {POST(FALLBACK), INVALID, R0 "/fallback", "only devices call"},
    {",'routes':[{'method':'POST','path':'/"
     "','caller':['device','staff']," FALLBACK "}]",
        INVALID, R0 "/fallback", "only devices call"},
    {",'routes':[{'method':'GET','path':'/','caller':['device']," FALLBACK "}]",
        INVALID, R0 "/fallback", "a GET has no fallback"},
    /* bound */
    {DEVICE("'bound':'gate'"), "", "", ""},
    {DEVICE("'bound':'lot'"), INVALID, R0 "/bound",
        "/g/:gate has no parameter \":lot\""},
    {DEVICE("'bound':'g'"), INVALID, R0 "/bound", "has no parameter"},
    {DEVICE("'bound':':gate'"), INVALID, R0 "/bound", "match"},
    {POST("'bound':'gate'"), INVALID, R0 "/bound", "only a device is bound"},
    /* feed */
    {GET("'feed':{'event':'probe.go'}"), "", "", ""},
    {GET("'feed':{'event':'probe.go'},'bound':'gate','billed':false,"
         "'safety':true"),
        "", "", ""},
    {GET("'feed':{}"), INVALID, R0 "/feed", "\"event\" is missing"},
    {GET("'feed':{'event':'probe.stop'}"), INVALID, R0 "/feed/event",
        "/events/publishes"},
    {GET("'feed':{'event':'probe.go','where':{'gate':'lot'}}"), INVALID,
        R0 "/feed/where/gate", "no parameter \":lot\""},
    {GET("'feed':{'event':'probe.go','where':{'a':'gate','b':'gate',"
         "'c':'gate','d':'gate'}}"),
        "", "", ""},
    {GET("'feed':{'event':'probe.go','where':{'a':'gate','b':'gate',"
         "'c':'gate','d':'gate','e':'gate'}}"),
        INVALID, R0 "/feed/where", "5 members"},
    {GET("'feed':{'event':'probe.go'},'limits':{}"), INVALID, R0 "/limits",
        "a feed has none"},
    {GET("'feed':{'event':'probe.go'},'response':true"), INVALID,
        R0 "/response", "Remove `response`"},
    {GET("'feed':{'event':'probe.go'},'request':true"), INVALID, R0 "/request",
        "no body"},
    {",'events':{'publishes':['probe.go']},'routes':[{'method':'POST',"
     "'path':'/','caller':['app'],'safe':true,'feed':{'event':'probe.go'}}]",
        INVALID, R0 "/feed", "its method is GET"},
    {",'events':{'handles':['probe.go']},'routes':[{'method':'GET',"
     "'path':'/','caller':['app'],'feed':{'event':'probe.go'}}]",
        INVALID, R0 "/feed/event", "publishes no event"},
};

_Static_assert(LL_FEED_WHERE_MAX == 4, "the rows above");

T_CASE(refuses_bad_promises)
{
    check_rows(route_rows, LL_COUNT(route_rows));
}

/* 1.0 is an integer to the schema, and so it is to us. */
T_CASE(reads_whole_doubles)
{
    struct ll_manifest *m = read_row(
        ",'collections':{'c':{'retention':{'days':2.0},'doc_bytes':1e3,"
        "'indexes':{'i':{'fields':['a'],'interval':{'from':'f','to':'t',"
        "'longest_ms':5.0}}}}},'meters':{'probe.a':{'kind':'sum',"
        "'unit':'x','max_per_call':1e9}},'problems':{'probe/full':"
        "{'status':409.0,'title':{'zh-CN':'x','en':'y'}}},"
        "'routes':[{'method':'POST','path':'/','caller':['device'],"
        "'fallback':{'status':2.01e2}}]");
    if (m == NULL)
        return;
    T_INT(m->collections[0].retention_ms, 2 * 86400000LL);
    T_INT(m->collections[0].doc_bytes, 1000);
    T_INT(m->collections[0].indexes[0].spec.longest_ms, 5);
    T_INT(m->meters[0].max_per_call, 1000000000);
    T_INT(m->problems[0].http_status, 409);
    T_INT(m->routes[0].fallback_status, 201);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

/* -- bounds -- */

/* PROBE with `count` items made by `item` (one %u) between head and tail. */
static linli_status
read_many(const char *head, const char *item, unsigned count, const char *tail)
{
    static char text[1 << 16];
    struct ll_manifest *m;
    struct ll_err err;
    int n = snprintf(text, sizeof text, "%s%s", HEAD, head);
    for (unsigned i = 0; i < count; i++) {
        char number[16];
        const char *at = strstr(item, "%u");
        (void)snprintf(number, sizeof number, "%u", i);
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%.*s%s%s",
            i == 0 ? "" : ",", (int)(at - item), item, number, at + 2);
    }
    (void)snprintf(text + n, sizeof text - (size_t)n, "%s}", tail);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    linli_status status = read_text(&mem, text, &m, &err);
    T_OK(status == LINLI_OK || strcmp(err.code, INVALID) == 0);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
    return status;
}

T_CASE(bounds_how_many)
{
    static const struct {
        const char *head, *item, *tail;
        unsigned max;
    } bounds[] = {
        {",'collections':{", "'c%u':{}", "}", LL_COLLECTIONS_MAX},
        {",'collections':{'c':{'indexes':{", "'i%u':{'fields':['a']}", "}}}",
            LL_INDEXES_MAX},
        {",'meters':{", "'probe.m%u':{'kind':'count','unit':'x'}", "}",
            LL_METERS_MAX},
        {",'timers':[", "'t%u'", "]", LL_TIMERS_MAX},
        {",'events':{'publishes':[", "'probe.e%u'", "]}", LL_EVENTS_MAX},
        {",'events':{'handles':[", "'shop.e%u'", "]}", LL_EVENTS_MAX},
        {",'alerts':[", "'probe.a%u'", "]", LL_ALERTS_MAX},
        {",'secrets':[", "'s%u'", "]", LL_SECRETS_MAX},
    };
    for (size_t i = 0; i < LL_COUNT(bounds); i++) {
        T_INT(read_many(bounds[i].head, bounds[i].item, bounds[i].max,
                  bounds[i].tail),
            LINLI_OK);
        T_INT(read_many(bounds[i].head, bounds[i].item, bounds[i].max + 1,
                  bounds[i].tail),
            LINLI_E_INVALID);
    }
}

T_CASE(bounds_a_fallback)
{
    for (int over = 0; over <= 1; over++) {
        char body[LL_FALLBACK_BYTES_MAX + 1], text[ROW_TEXT_BYTES];
        struct ll_manifest *m;
        struct ll_err err;
        memset(body, 'x', sizeof body);
        row_text(DEVICE("'fallback':{'status':200,'body':'@'}"), text);
        char *at = strchr(text, '@');
        size_t n = LL_FALLBACK_BYTES_MAX - 2 + (size_t)over;
        memmove(at + n, at + 1, strlen(at + 1) + 1);
        memcpy(at, body, n);
        T_INT(
            read_text(&mem, text, &m, &err), over ? LINLI_E_INVALID : LINLI_OK);
        if (over)
            T_STR(ll_cstr(err.where), "plugin.json: /routes/0/fallback/body");
        else if (m != NULL)
            T_INT(m->routes[0].fallback_body.len, LL_FALLBACK_BYTES_MAX);
        ll_manifest_free(&m);
        T_INT(mem.used_bytes, 0);
    }
}

T_CASE(survives_every_failed_allocation)
{
    char text[ROW_TEXT_BYTES];
    struct ll_manifest *m;
    struct ll_err err;
    linli_status status = LINLI_E_NOMEM;
    uint64_t n = 0;
    row_text(full, text);
    while (status != LINLI_OK && n < 10000) {
        ll_mem_init(&mem, 0);
        mem.fail_in = ++n;
        status = ll_manifest_read(&mem, ll_cstr(text), &m, &err);
        T_OK(status == LINLI_OK || status == LINLI_E_NOMEM);
        ll_manifest_free(&m);
        T_INT(mem.used_bytes, 0);
    }
    T_OK(n > 20 && n < 10000);
}

T_MAIN(T_RUN(reads_collections) T_RUN(reads_names) T_RUN(reads_notifications)
        T_RUN(reads_what_routes_promise) T_RUN(has_nothing_undeclared)
            T_RUN(writes_an_index_one_way) T_RUN(refuses_bad_data)
                T_RUN(refuses_bad_promises) T_RUN(reads_whole_doubles)
                    T_RUN(bounds_how_many) T_RUN(bounds_a_fallback)
                        T_RUN(survives_every_failed_allocation))
