#!/usr/bin/env python3
"""tests/faults/test_consent_faults.py: a decider that is wrong is found out.

tests/unit/test_consent_law.c plays random histories against a reference. Here
the decider is built with one fault at a time, each a slip that somebody could
make, and the histories must find it; without a fault they find nothing. A
property that cannot fail would show here.
"""
# test-timeout-s: 600

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402

SRC = tap.source_folder()
BUILD = tap.build_folder()
HISTORIES = "4000"
DECIDE = "runtime/domain/consent.c"
GRANT = "runtime/domain/consent_grant.c"
PEOPLE = "runtime/domain/consent_people.c"
NO = "runtime/domain/consent_no.c"
KEYS = "runtime/domain/consent_keys.h"
STATE = "runtime/domain/consent_state.c"

# name: (file, what stands there once, what stands there instead, ...)
FAULTS = {
    "the_end_is_inclusive": (
        DECIDE, "now_ms >= grant->until_ms", "now_ms > grant->until_ms"),
    "an_idle_grant_lives_on": (
        DECIDE, "return grant->idle_days > 0 &&",
        "return grant->idle_days > 200 &&"),
    "a_withdrawn_grant_serves": (
        DECIDE, "if (grant->status == LL_GRANT_REVOKED)",
        "if (grant->status == LL_GRANT_REVOKED && now_ms < grant->from_ms)"),
    "a_used_up_grant_serves": (
        DECIDE, "grant->uses == 0 ?", "grant->uses < -1 ?"),
    "a_bundle_is_taken_for_a_consent": (
        DECIDE, "(grant->fields & (grant->fields - 1)) != 0", "false"),
    "sensitive_data_needs_no_act_of_its_own": (
        DECIDE, "at->field->class == LL_C3 ||\n"
        "           terms->relation", "terms->relation"),
    "to_others_needs_no_act_of_its_own": (
        DECIDE, "           terms->relation == LL_RELATION_PROVIDE;",
        "           false;"),
    "old_terms_hold_for_ever": (
        DECIDE, "grant->version < terms->since ||", ""),
    "a_scope_forgets_since_when_it_is": (
        DECIDE, "grant->version < at->scope->since ||", ""),
    "terms_of_the_future_hold": (
        DECIDE, "grant->version > terms->version", "false"),
    "an_objection_to_all_is_to_none": (
        NO, "return subject->objected | (node == NULL ? 0 : node->bits);",
        "return node == NULL ? 0 : node->bits;"),
    "a_block_stops_what_the_law_asks_for": (
        DECIDE, "if (at->scope->basis != LL_BASIS_STATUTORY &&", "if ("),
    "marketing_is_not_objected_to": (
        DECIDE, "category == LL_PURPOSE_MARKETING",
        "category == LL_PURPOSE_EMERGENCY"),
    "a_child_speaks_for_itself": (
        DECIDE, "return at->ward ? LL_REASON_GUARDIAN_REQUIRED : "
        "LL_REASON_ALLOW;", "return LL_REASON_ALLOW;"),
    "a_parents_word_lasts": (
        DECIDE, "                   ll_refusal_find(at->consent, at->ask) == "
        "NULL\n               ? LL_REASON_ALLOW\n"
        "               : LL_REASON_SELF_RECONFIRM",
        "                   ll_refusal_find(at->consent, at->ask) == "
        "NULL\n               ? LL_REASON_ALLOW\n"
        "               : LL_REASON_ALLOW"),
    "a_delegate_overrules_a_refusal": (
        DECIDE, "ll_refusal_find(at->consent, at->ask) == NULL", "true"),
    "a_suspended_guardian_acts": (
        PEOPLE, "if (is->status == LL_GUARDIAN_SUSPENDED)\n"
        "        return LL_REASON_GUARDIAN_SUSPENDED;",
        "if (is->status == LL_GUARDIAN_SUSPENDED)\n"
        "        return LL_REASON_ALLOW;"),
    "an_agreed_guardian_acts_too_early": (
        PEOPLE, "return ward->capacity != LL_CAPACITY_FULL;", "return true;"),
    "a_delegate_acts_for_a_ward": (
        PEOPLE, "return !ll_person_is_ward(ward, want->today);",
        "return true;"),
    "a_guardian_is_not_looked_at": (
        PEOPLE, "!is_able(guardian, want->today)", "guardian == NULL"),
    "a_guardianship_has_no_end": (
        PEOPLE, "want->now_ms >= is->until_ms ||", ""),
    "a_guardian_passes_the_ceiling": (
        PEOPLE, "is->ceiling < want->class ||", ""),
    "another_communitys_resident_is_known": (
        DECIDE, "subject->community != at->party->community", "false"),
    "the_dead_are_asked": (
        DECIDE, "subject->person.state == LL_SUBJECT_DECEASED\n",
        "subject->person.state == LL_SUBJECT_SHREDDED\n"),
    "the_ceiling_is_not_looked_at": (
        DECIDE, "at->field->class > at->party->terms.ceiling", "false"),
    "an_action_is_not_looked_at": (
        DECIDE, "(at->scope->actions >> ask->action & 1) != 0", "true"),
    "a_contract_is_about_anybody": (
        DECIDE, "at->scope->basis == LL_BASIS_CONTRACT && !at->ask->own",
        "false"),
    "an_approval_has_no_end": (
        DECIDE, "at->ask->now_ms >= record->until_ms", "false"),
    "an_approval_covers_all_fields": (
        DECIDE, "(record->fields >> at->ask->field & 1) == 0", "false"),
    "any_purpose_serves": (
        KEYS, "<< 8 | purpose;", "<< 8 | (purpose & 0);"),
    "a_withdrawal_leaves_what_was_said": (
        GRANT, "grant->status = (uint8_t)status;\n"
        "    say_ended(consent, number);", "grant->status = (uint8_t)status;"),
    "a_replaced_grant_leaves_what_was_said": (
        GRANT, "if (slot != NULL)\n        slot->grant = say(consent, now);",
        "if (slot != NULL && now != newest)\n"
        "        slot->grant = say(consent, now);"),
    "what_is_said_of_a_last_use_stays": (
        GRANT, "grant->uses != -1 ||", ""),
    "what_is_said_forgets_who_gave_it": (
        GRANT, "|| grant->guardian != LL_NOBODY ||", "||"),
    "what_is_said_forgets_idle_days": (
        GRANT, "|| grant->idle_days > 0 ||", "||"),
    "what_is_said_lasts_a_unit_too_long": (
        DECIDE, "now_ms >> LL_SAID_UNIT_BITS < (int64_t)",
        "now_ms >> LL_SAID_UNIT_BITS <= (int64_t)"),
    "what_is_said_holds_for_any_field": (
        DECIDE, "(said >> LL_SAID_FIELD & 63) == at->ask->field", "true"),
    "what_is_said_holds_before_it_begins": (
        DECIDE, "now_ms >= at->consent->begun_ms &&", ""),
    "what_is_said_holds_for_old_terms": (
        DECIDE, "version >= terms->since &&", ""),
    "what_is_said_holds_for_old_scopes": (
        DECIDE, "version >= at->scope->since &&", ""),
    "what_is_said_holds_for_terms_before_it": (
        DECIDE, "version <= terms->version &&", ""),
    "what_is_said_needs_no_act_of_its_own": (
        DECIDE, "(said >> LL_SAID_SEPARATE & 1) != 0", "true"),
    "what_is_said_holds_for_a_ward": (
        DECIDE, "return !at->ward && (said", "return (said"),
    "what_is_replaced_stays": (
        GRANT, "item->grant.status = LL_GRANT_REPLACED;", ""),
    "the_oldest_is_taken_for_the_newest": (
        GRANT, "return a->given_ms > b->given_ms;",
        "return a->given_ms < b->given_ms;"),
    "a_live_grant_is_hidden_by_a_newer_one": (
        GRANT, "return old->status != LL_GRANT_LIVE &&", "return"),
    "an_end_raises_no_epoch": (
        GRANT, "ll_subject_at(consent, grant->subject)->epoch++;", ""),
    "an_objection_raises_no_epoch": (
        NO, "who->epoch++;", ";"),
    "a_lost_guardian_raises_no_epoch": (
        PEOPLE, "ll_subject_at(consent, node->is.ward)->epoch++;", ";"),
    "a_change_of_capacity_raises_no_epoch": (
        STATE, "is->capacity != person->capacity ||", ""),
    "a_refusal_is_nagged": (
        NO, "ask->now_ms - refusal->at_ms >= cooldown_ms",
        "ask->now_ms >= refusal->at_ms"),
    "a_refusal_is_asked_twice_in_a_version": (
        NO, "terms->version <= refusal->version",
        "terms->version < refusal->version"),
    "a_grant_takes_no_refusal_back": (
        NO, "(grant->fields >> node->is.field & 1) == 0 ||",
        "(grant->fields >> node->is.field & 1) != 2 ||"),
    "an_opaque_field_says_why": (
        DECIDE, "!consent->dictionary->fields[ask->field].deny_opaque",
        "consent->dictionary->fields[ask->field].deny_opaque"),
    "of_many_the_first_is_asked": (
        DECIDE, "one.subject = subjects[i];", "one.subject = subjects[0];"),
}


def settings():
    """The variables of config.mk."""
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        return dict(re.findall(r"^(\w+) = ?(.*)$", f.read(), re.M))


def command_of(source):
    """The arguments that compile a source, without the file."""
    name = os.path.join(BUILD, "obj", source[:-2] + ".json")
    with open(name, encoding="utf-8") as f:
        command = shlex.split(json.loads(f.read())["command"])
    return command[:command.index("-c")]


def compiled(folder, source, text=None):
    """The object of one file; `text`: instead of its own."""
    out = os.path.join(folder, os.path.basename(source)[:-2] + ".o")
    path = os.path.join(SRC, source)
    if text is not None:
        path = os.path.join(folder, os.path.basename(source))
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    # A fault may leave something unused, and that is no warning's business;
    # a header of the folder stands before the tree's.
    command = command_of(source if source.endswith(".c") else DECIDE)
    command[1:1] = ["-I" + folder]
    done = subprocess.run(command + ["-w", "-O1", "-c", path, "-o", out],
                          cwd=BUILD, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return out


def histories(objects, folder):
    """(status, output) of the histories, with objects before the library."""
    had = settings()
    out = os.path.join(folder, "law")
    link = [had["CC"]] + shlex.split(had.get("san_flags", "")) + \
        shlex.split(had.get("LDFLAGS", "")) + ["-o", out] + objects + \
        ["obj/tests/unit/test_consent_law.o", "liblinli.a"] + \
        shlex.split(had["CRYPTO_LIBS"]) + ["-lm", "-lpthread"]
    done = subprocess.run(link, cwd=BUILD, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([out, HISTORIES], stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


def read(source):
    with open(os.path.join(SRC, source), encoding="utf-8") as f:
        return f.read()


def with_fault(source, *changes):
    """What the histories say of the decider with one fault."""
    text = read(source)
    for there, instead in zip(changes[::2], changes[1::2]):
        assert text.count(there) == 1, \
            "%s has %d of %r" % (source, text.count(there), there)
        text = text.replace(there, instead)
    with tempfile.TemporaryDirectory(prefix="linli-test-") as folder:
        if source.endswith(".c"):
            return histories([compiled(folder, source, text)], folder)
        os.makedirs(os.path.join(folder, "domain"))
        with open(os.path.join(folder, "domain", os.path.basename(source)),
                  "w", encoding="utf-8") as f:
            f.write(text)
        return histories([compiled(folder, s) for s in
                          (DECIDE, GRANT, PEOPLE, NO, STATE)], folder)


def test_without_a_fault():
    with tempfile.TemporaryDirectory(prefix="linli-test-") as folder:
        status, said = histories([compiled(folder, DECIDE)], folder)
    assert status == 0, said


def case(fault):
    def run():
        status, said = with_fault(*fault)
        assert status == 1 and "# seed " in said, \
            "nobody noticed: %d\n%s" % (status, said)
    return run


for name_of_fault, the_fault in FAULTS.items():
    globals()["test_" + name_of_fault] = case(the_fault)

if __name__ == "__main__":
    tap.main()
