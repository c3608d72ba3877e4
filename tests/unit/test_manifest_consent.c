/* tests/unit/test_manifest_consent.c: which resident data a manifest may ask
 * for, and the lines that mend what it may not. spec/manifest.md, section 7. */
#include "manifest_rows.h"
#include "plugin/manifest_consent.h"

#define WORDS                                                               \
    "'why':{'zh-CN':'车辆入场时核对车牌后抬杆','en':"           \
    "'The gate compares it with the car that stands before it'},'without':" \
    "{'zh-CN':'需要在岗亭人工登记后入场','en':"                 \
    "'You tell the guard your number each time you come'}"
#define CONTRACT(field) \
    "{'field':'" field "','purpose':'billing','basis':'contract'}"
#define DATA(item) ",'data':[" item "]"
#define USE(field, rest) \
    DATA("{'field':'" field "','purpose':'billing','basis':'consent'," rest "}")
#define ROUTED(data, rest)                  \
    DATA(data)                              \
    ",'routes':[{'method':'POST','path':'/" \
    "a','caller':['resident'],'data':[" rest "]}]"
#define VISIT(index)                                                   \
    ",'collections':{'visit':{'subject':'who','indexes':{'by_who':"    \
    "{'fields':['who']},'by_gate':{'fields':['gate']}}},'lot':{}},"    \
    "'data':[{'field':'plate','purpose':'billing','basis':'contract'," \
    "'while':" index "}]"

static const struct row table[] = {
    {",'data':[]", "", "", ""},
    {DATA(CONTRACT("plate")), "", "", ""},
    {USE("plate", WORDS), "", "", ""},
    /* the dictionary */
    {DATA(CONTRACT("plates")), "manifest/invalid", "/data/0/field",
        "Write \"field\": \"plate\""},
    {DATA(CONTRACT("favourite_colour")), "manifest/invalid", "/data/0/field",
        "data-dictionary.json"},
    {DATA("{'field':'plate','purpose':'biling','basis':'contract'}"),
        "manifest/invalid", "/data/0/purpose",
        "Write \"purpose\": \"billing\""},
    {DATA("{'field':'plate','purpose':'improve_experience','basis':"
          "'contract'}"),
        "manifest/invalid", "/data/0/purpose", "Write one of: "},
    {DATA("{'field':'plate','purpose':'billing','basis':'interest'}"),
        "manifest/invalid", "/data/0/basis", "\"separate_consent\""},
    {DATA(CONTRACT("plate") "," CONTRACT("plate")), "manifest/invalid",
        "/data/1", "stands in /data/0 too"},
    {DATA("{'field':'plate','purpose':'billing'}"), "manifest/invalid",
        "/data/0", "\"basis\" is missing"},
    {DATA("{'field':'plate','purpose':'billing','basis':'contract','for':1}"),
        "manifest/invalid", "/data/0/for", "not known here"},
    /* what residents read */
    {USE("plate", "'required':true"), "manifest/invalid", "/data/0",
        "Add \"why\": {\"zh-CN\": \"...\", \"en\": \"...\"}"},
    {USE("plate", "'why':{'zh-CN':'车辆入场时核对车牌','en':"
                  "'The gate compares it with the car'}"),
        "manifest/invalid", "/data/0", "Add \"without\""},
    {USE("plate", "'why':{'zh-CN':'提升用户体验','en':'The gate compares it "
                  "with the car'},'without':{'zh-CN':'a','en':'b'}"),
        "manifest/invalid", "/data/0/why/zh-CN", "says nothing"},
    {USE("plate", "'why':{'zh-CN':'为了更好地服务, 改善体验。','en':"
                  "'The gate compares it with the car'}"),
        "manifest/invalid", "/data/0/why/zh-CN", "says nothing"},
    {USE("plate", "'why':{'zh-CN':'车辆入场时核对车牌','en':"
                  "'To improve the user experience.'}"),
        "manifest/invalid", "/data/0/why/en", "says nothing"},
    {USE("plate", "'why':{'zh-CN':'车辆入场时核对车牌','en':"
                  "'The gate compares it with the car'},'without':"
                  "{'zh-CN':'无','en':'Business needs'}"),
        "manifest/invalid", "/data/0/without/zh-CN", "says nothing"},
    {DATA("{'field':'plate','purpose':'billing','basis':'contract','why':"
          "{'zh-CN':'业务需要','en':'Business needs'}}"),
        "manifest/invalid", "/data/0/why/zh-CN", "says nothing"},
    {USE("plate", "'why':{'en':'The gate compares it with the car'}"),
        "manifest/invalid", "/data/0/why", "\"zh-CN\""},
    /* bases */
    {USE("parking_trail", WORDS), "manifest/invalid", "/data/0/basis",
        "Write \"basis\": \"separate_consent\""},
    {DATA("{'field':'parking_trail','purpose':'billing','basis':"
          "'separate_consent'," WORDS "}"),
        "", "", ""},
    {",'relation':'provide','recipient':{'name':{'zh-CN':'甲','en':'A'},"
     "'address':'x','contact':'y'}" USE("plate", WORDS),
        "manifest/invalid", "/data/0/basis", "another controller"},
    {",'relation':'provide'", "manifest/invalid", "/relation",
        "Add \"recipient\": {\"name\""},
    {",'recipient':{'name':{'zh-CN':'甲','en':'A'},'address':'x','contact':"
     "'y'}",
        "manifest/invalid", "/recipient", "\"relation\": \"provide\""},
    {",'relation':'share'", "manifest/invalid", "/relation", "\"entrust\""},
    {DATA("{'field':'plate','purpose':'marketing','basis':'consent',"
          "'required':true," WORDS "}"),
        "manifest/invalid", "/data/0/required", "Write \"required\": false"},
    /* no grant without an end */
    {USE("plate", "'days':365," WORDS), "", "", ""},
    {USE("plate", "'days':366," WORDS), "manifest/invalid", "/data/0/days",
        "Write \"days\": 365"},
    {USE("plate", "'days':0," WORDS), "manifest/invalid", "/data/0/days", ""},
    {USE("plate", "'days':1e300," WORDS), "manifest/invalid", "/data/0/days",
        "Write \"days\": 365"},
    /* direct identifiers */
    {DATA(CONTRACT("phone")), "manifest/invalid", "/data/0/field",
        "Write \"field\": \"phone_relay\""},
    {DATA(CONTRACT("address")), "manifest/invalid", "/data/0/field",
        "Write \"field\": \"building_only\""},
    {DATA(CONTRACT("id_card")), "manifest/invalid", "/data/0/field",
        "\"review\": \"ID\""},
    {DATA("{'field':'phone','purpose':'billing','basis':'contract','review':"
          "'2026-031'}"),
        "", "", ""},
    /* while */
    {VISIT("{'collection':'visit','index':'by_who'}"), "", "", ""},
    {VISIT("{'collection':'lot','index':'by_who'}"), "manifest/invalid",
        "/data/0/while/collection", "`subject`"},
    {VISIT("{'collection':'vist','index':'by_who'}"), "manifest/invalid",
        "/data/0/while/collection", "\"vist\""},
    {VISIT("{'collection':'visit','index':'by_gate'}"), "manifest/invalid",
        "/data/0/while/index", "\"by_gate\": {\"fields\": [\"who\"]}"},
    {USE("plate", "'while':{'collection':'a','index':'b'}," WORDS),
        "manifest/invalid", "/data/0/while", "\"basis\": \"contract\""},
    /* routes */
    {ROUTED(CONTRACT("plate"), "{'field':'plate','purpose':'billing'}"), "", "",
        ""},
    {ROUTED(CONTRACT("plate"),
         "{'field':'plate','purpose':'billing','basis':'contract',"
         "'required':true}"),
        "", "", ""},
    {ROUTED(CONTRACT("plate"), "{'field':'plate','purpose':'service'}"),
        "manifest/invalid", "/routes/0/data/0/purpose",
        "Write \"purpose\": \"billing\""},
    {ROUTED(CONTRACT("plate"), "{'field':'phone_relay','purpose':'billing'}"),
        "manifest/invalid", "/routes/0/data/0/field",
        "Add to the plugin's `data`"},
    {ROUTED(CONTRACT("plate"),
         "{'field':'plate','purpose':'billing','basis':'consent'}"),
        "manifest/invalid", "/routes/0/data/0/basis", "leave it out"},
    {ROUTED(
         "{'field':'plate','purpose':'service','basis':'contract'}," CONTRACT(
             "plate"),
         "{'field':'plate','purpose':'billing'},"
         "{'field':'plate','purpose':'service'}"),
        "manifest/invalid", "/routes/0/data/1", "call.data:get"},
    {DATA(CONTRACT("plate")) ",'routes':[{'method':'POST','path':'/"
                             "a','caller':['device'],'data':"
                             "[{'field':'plate','purpose':'billing'}]}]",
        "manifest/invalid", "/routes/0/data", "call.data:get{resident"},
};

T_CASE(judges_every_row)
{
    check_rows(table, LL_COUNT(table));
}

/* What the decision is made over. */
T_CASE(terms_are_what_was_declared)
{
    char text[ROW_TEXT_BYTES], notice[65], other[65];
    struct ll_mem mem;
    struct ll_manifest *m;
    struct ll_err err;
    struct ll_terms terms;
    row_text(",'relation':'provide','recipient':{'name':{'zh-CN':'甲','en':"
             "'A'},'address':'x','contact':'y'},'data':[{'field':'plate',"
             "'purpose':'billing','basis':'separate_consent','once':true,"
             "'days':30,'actions':['read','export'],'required':true," WORDS
             "}]",
        text);
    T_INT(read_text(&mem, text, &m, &err), LINLI_OK);
    if (m == NULL)
        return;
    ll_manifest_terms(m, &terms);
    T_OK(terms.active);
    T_INT(terms.relation, LL_RELATION_PROVIDE);
    T_INT(terms.scope_count, 1);
    T_INT(terms.scopes[0].basis, LL_BASIS_SEPARATE);
    T_INT(terms.scopes[0].actions, 1 << LL_ACTION_READ | 1 << LL_ACTION_EXPORT);
    T_OK(terms.scopes[0].required);
    T_OK(m->data[0].once);
    T_INT(m->data[0].days, 30);
    T_INT(ll_manifest_notice(m, notice, &err), LINLI_OK);
    T_INT(strlen(notice), 64);
    ll_manifest_free(&m);
    char *word = strstr(text, "guard");
    T_OK(word != NULL);
    if (word != NULL)
        word[0] = 'G';
    T_INT(read_text(&mem, text, &m, &err), LINLI_OK);
    if (m == NULL)
        return;
    T_INT(ll_manifest_notice(m, other, &err), LINLI_OK);
    T_OK(strcmp(notice, other) != 0);
    ll_manifest_free(&m);
    T_INT(mem.used_bytes, 0);
}

T_MAIN(T_RUN(judges_every_row) T_RUN(terms_are_what_was_declared))
