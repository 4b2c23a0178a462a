"""The verbs that tell what a tool does, and what each says when nothing else is known.

Words of the trade, not of any one server. A verb that is in no table is unknown, and what is unknown counts as a
change. What a verb means when it acts on certain things stands in `senses`.
"""

from __future__ import annotations

from typing import Final

from .model import Category

_READING: Final = """
    advise aggregate analyse analyze assess audit autocomplete await benchmark browse calc calculate cat check choose
    compare compute consult convert correlate count decode decompile decrypt demonstrate derive describe detect diagnose
    diff digest disassemble discover display download dump echo encode enumerate estimate evaluate examine explain
    explore export extract fetch filter find forecast gather geocode get glob grep head help identify inspect interpret
    introspect investigate know lint list locate log look lookup ls map measure monitor observe obtain outline parse
    peek ping poll predict preview profile proofread prove provide query rank read recall receive recommend render
    research resolve retrieve return sample scan scrape screenshot search see select show similar simulate size sniff
    solve sort stat stats status suggest summarise summarize survey tail tell think top trace track transcribe translate
    traverse triage understand validate verify view visualise visualize wait watch whoami whois
"""
"""What they leave behind is an answer."""

_WRITING: Final = """
    accept ack acknowledge activate adapt add adjust align allocate allow alter amend annotate announce answer append
    apply approve archive arrange assign associate attach authenticate author authorise authorize backup bind blacklist
    block blur book bookmark boost bridge broadcast bump cancel capture change checkout cherry-pick claim classify clone
    close collect comment commit complete compose compress concatenate configure confirm connect consolidate consume
    contest copy correct create crop curate customise customize deactivate decline decrease decrement deduplicate defer
    define delay delegate deliver demote denoise deny deprecate design dim disable disapprove disconnect dismiss draft
    duplicate edit email embed enable encrypt enhance enqueue enrich enroll ensure escalate establish exchange exclude
    exercise expand expire expose extend favorite favourite finalise finalize finish fix flag flatten flip follow fork
    format forward freeze fulfil fulfill generate give grant group handle harvest hide highlight hset humanize ignore
    implement import improve increase increment index ingest init initialise initialize inject insert instantiate invert
    invite isolate issue join label leave link localise localize lock login logout lpush make manage mark memorize
    mention merge message mint mirror mix mkdir moderate modify mount move mutate mute name nominate normalise normalize
    note notify onboard open opt optimize order organise organize override park paste patch persist pin place plan
    polish populate post prepare prepend prioritise prioritize propose protect provision publish pull push put
    quarantine raise rate react reactivate rearrange reassign rebalance rebase reconcile record recover redact redefine
    redirect redo reduce reenable refactor refine refresh regenerate register reject relate release relist relocate
    remap remediate remember remind remix rename renew reopen reorder reorganise reorganize repair replace reply report
    reposition repost reprioritise reprioritize request reschedule reseed resend reserve reset reshare respond restore
    restrict resubmit retitle retweet reverse revert review revise reword rewrite rotate rpush sadd sanitise sanitize
    save schedule seal send set setup share shorten sign silence simplify snapshot snooze splice split squash stage
    standardise standardize star stash stitch store submit subscribe supersede supply suspend swap switch synthesise
    synthesize tag take throttle toggle touch transfer transform transition trim tune tweak tweet typing unarchive unban
    unblock uncheck undelete undo unfreeze ungroup unhide uninvite unlock unmark unmute unpair unpin unprotect unresolve
    unschedule unseal unset unstage unstar unsubscribe unvote unwrap update upload upsert upvote vary vote whitelist
    wrap write xack xadd xclaim xreadgroup zadd zip
"""
"""They change or create what can be changed back; sending and publishing is among them."""

_RUNNING: Final = """
    abort actuate animate arm ask attack bash boot bootstrap build calibrate call cast click compile conduct control
    cordon crawl debug deploy detonate dial disarm dispatch doubleclick downgrade drag drain drive dub eject emit
    emulate eval exec execute exploit failover fill fire flash fuzz goto halt hibernate hold hover initiate inpaint
    install instruct interact interrupt invoke jump kill launch load migrate narrate navigate orchestrate outpaint pause
    perform play power press print probe process promote pump quit reboot rebuild recheck recompile reconnect recreate
    recycle redeploy redrive reindex reinstall relaunch reload replay reprocess requeue rerequest rerun rescan resize
    restart resume resync retry rewind rollback rollout run scale scroll scrub seek shell shutdown signal skip spawn
    speak spin start steer step stop swipe sync synchronise synchronize tap terminate test train trigger tunnel turn
    type uncordon undeploy unpause upgrade upscale wake
"""
"""They set something in motion whose effect is not in the verb."""

_DESTROYING: Final = """
    ban bury clean cleanup clear decommission del delete deprovision deregister destroy detach disassociate discard
    dispose dissociate drop empty eradicate erase evict expel expunge flush flushall flushdb forget hdel invalidate kick
    lpop lrem nuke obliterate offboard overwrite pop prune purge reformat reimage remove revoke rm rmdir rpop shred srem
    strip subtract takedown teardown trash truncate unassign unassociate unbind undefine unenroll unfollow uninstall
    unlabel unlike unlink unmap unpublish unreact unregister unsend unshare untag vacuum void wipe xdel xtrim zrem
"""
"""Something is gone afterwards."""

_PAYING: Final = """
    bid borrow buy charge credit debit deposit disburse donate fund hedge invest lend liquidate pay payout purchase
    redeem refund reimburse remit rent repay restake sell settle stake tokenise tokenize topup trade undelegate unstake
    wager withdraw
"""
"""Money moves, or somebody owes it."""


def each(words: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(words.split())


VERBS: Final[dict[str, Category]] = (
    dict.fromkeys(_READING.split(), Category.READ)
    | dict.fromkeys(_WRITING.split(), Category.WRITE)
    | dict.fromkeys(_RUNNING.split(), Category.EXECUTE)
    | dict.fromkeys(_DESTROYING.split(), Category.DESTRUCTIVE)
    | dict.fromkeys(_PAYING.split(), Category.FINANCIAL)
)
"""What a verb says when nothing else is known."""

ALSO_NOUNS: Final = each("""
    aggregate answer archive attack audit authenticate author backup benchmark bid block book bookmark bridge build bump
    call capture change charge check checkout claim clean clear click clone close comment commit complete compose
    connect control copy correct count crawl credit debug deploy deposit design diff digest dispatch display download
    draft drive drop dump echo email embed empty estimate exchange exec exercise expand exploit export extract fill
    filter fire fix flag flash follow fork format forward fund group head hedge help highlight hold import increase
    index init insert install invite issue join jump label launch leave link lint load lock log login logout look lookup
    make map measure mention merge message mirror mix monitor mount move name note open order outline override park
    patch pause pay payout pin place plan play poll pop post power press print process profile promote pull pump
    purchase push query rank rate record redirect refund release rent replay reply report request research reset resize
    return reverse review rollback rollout run sample save scale scan schedule screenshot scrub search select set setup
    share shell show sign signal similar size skip snapshot sort split stage stake star start stash stat stats status
    step stop store submit survey swap switch sync tag tail test top topup touch trace track trade train transfer
    transform transition trigger turn tweet type typing upgrade upload view void vote wait watch whois wrap zip
""")
"""Verbs that name a thing as often: they count only where no other word of the name is a verb."""


PLAIN_READING: Final = each("count describe fetch find get list lookup read retrieve search show view whoami")
"""Verbs that hardly ever do more than read; the others of their table may start something."""


_FOREIGN: Final = """
    get: affiche afficher consulta consultar consulter devuelve liefert muestra obtener obtenir obter obtient obtiene
    get: obtém renvoie retorna ruft récupère récupérer zeigt
    list: lista listar liste lister listet
    search: busca buscar cherche recherche rechercher sucht
    create: añade agrega adiciona ajoute crea crear criar cria crée créer erstellt
    update: actualiza actualizar aktualisiert atualiza atualizar met modifica modifie modifier ändert
    send: envia envoie envoyer envía enviar sendet
    run: ejecuta ejecutar executa executar exécute exécuter
    start: inicia iniciar lance lancer startet
    stop: arrête detiene detener stoppt
    delete: apaga apagar borra borrar elimina eliminar entfernt exclui excluir löscht supprime supprimer
    pay: paga pagar paie payer
    refund: reembolsa reembolsar rembourse rembourser
"""
FOREIGN: Final = {
    word: verb
    for line in _FOREIGN.strip().splitlines()
    for verb, forms in [line.strip().split(":")]
    for word in forms.split()
}
"""How descriptions in other languages begin: Spanish, Portuguese, French and German."""
