"""The words that tell what a tool does: verbs, the things that they act on, and what the two mean together.

Words of the trade, not of any one server. A verb that is in no table is unknown, and what is unknown counts as a
change. Where a verb means different things for different objects, its common sense stands in `VERBS` and the others in
`SENSES`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

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


class Sense(NamedTuple):
    """What verbs mean when they act on certain things."""

    verbs: frozenset[str]
    """Empty: every verb that changes something."""
    things: frozenset[str]
    """One of them has to be what the verb acts on, as the name or the description has it; empty: whatever it is."""
    unless: frozenset[str]
    """None of these words may be in the name or beside the verb."""
    category: Category
    why: str


def _sense(category: Category, why: str, verbs: str, things: str = "", unless: str = "") -> Sense:
    return Sense(each(verbs), each(things), each(unless), category, why)


_MONEY: Final = """
    bill boleto cashout charge chargeback cheque deposit disbursement donation installment invoice liquidity loan
    mandate payable paycheck payment payout payroll pix preapproval purchase refund reimbursement remittance salary
    settlement subscription topup wager withdrawal
"""
"""What is not changed without money or a debt moving."""
_NOT_MONEY: Final = """
    attribute battery car comment email endpoint ev event filter label list metadata method newsletter note notification
    profile provider push reminder setting sns tag template topic trial vehicle webhook
"""
"""Beside them a word of money names a setting, a message or a stream."""

SENSES: Final = (
    # --- reading verbs that change something, and acting verbs that only read
    _sense(
        Category.WRITE,
        "closes it",
        "resolve",
        "alert annotation case comment conflict conversation discussion dispute error event finding incident issue"
        " problem review thread ticket todo vulnerability",
    ),
    _sense(
        Category.WRITE,
        "stores it",
        "log track",
        "activity call contact exercise expense food habit hour meal meeting metric mood note time weight workout",
    ),
    _sense(
        Category.EXECUTE,
        "generates media, which costs",
        "compose convert generate synthesise synthesize",
        "animation asset audio avatar dialogue effect image model music sound speech song video",
        "chart diagram map plot",
    ),
    _sense(
        Category.READ,
        "asks a question",
        "execute perform run make conduct",
        "aggregation analysis analytics audit check comparison diagnostic diagnostics grep insight lint logql lookup"
        " metricsql plan promql read_operation report search traceql validation",
    ),
    _sense(Category.READ, "asks a question", "start", "search"),
    _sense(Category.READ, "asks a question", "collect", "data event information log metric result sample statistic"),
    _sense(
        Category.READ,
        "answers with it",
        "generate",
        "link url",
        "access checkout connect invitation invite login meeting onboarding payment session share sharing sign signed"
        " terminal upload",
    ),
    _sense(Category.READ, "answers with it", "plan", "direction itinerary journey project route trip workflow"),
    _sense(Category.READ, "answers with it", "create generate", "deeplink"),
    _sense(
        Category.READ,
        "answers with it",
        "generate",
        "barcode chart diagram graph map map_image passphrase password plot random_number random_string type uuid",
    ),
    _sense(
        Category.READ, "takes a picture", "capture take", "dom frame heap heapsnapshot photo picture screen screenshot"
    ),
    _sense(
        Category.READ,
        "takes a picture",
        "capture take",
        "snapshot",
        "backup cluster database disk droplet instance machine server vm volume",
    ),
    _sense(Category.READ, "opens it for reading", "open", "document file folder node note record resource"),
    _sense(
        Category.WRITE,
        "makes one of the other",
        "convert",
        "account contact deal draft issue lead opportunity project quote snapshot task ticket",
    ),
    _sense(
        Category.READ,
        "answers with it",
        "format reverse transform",
        "color currency date dns html json markdown number regex string text time timestamp timezone unit",
    ),
    _sense(
        Category.READ,
        "answers with it",
        "build create generate",
        "analysis diff estimate explanation forecast insight preview qr_code query recommendation regex snippet sql"
        " statistics suggestion summary",
        "audio image video voice",
    ),
    _sense(Category.READ, "reads it", "load", "document file guide instruction memory skill url"),
    # --- money
    _sense(
        Category.FINANCIAL,
        "decides who pays",
        "accept close contest submit update",
        "chargeback dispute dispute_claim",
        "evidence",
    ),
    _sense(Category.FINANCIAL, "takes the money", "receive record", "payment"),
    _sense(Category.FINANCIAL, "takes the money", "complete confirm create submit", "checkout checkout_session"),
    _sense(Category.FINANCIAL, "trades", "rebalance", "portfolio"),
    _sense(Category.FINANCIAL, "trades", "modify set update", "bid stop_loss take_profit"),
    _sense(Category.FINANCIAL, "takes the money", "claim harvest", "airdrop fee reward yield"),
    _sense(Category.FINANCIAL, "changes what is owed", "adjust increase set update", "balance"),
    _sense(Category.FINANCIAL, "money is paid for it", "approve submit", "expense reimbursement timecard timesheet"),
    _sense(
        Category.FINANCIAL,
        "changes what is owed",
        "add allocate cancel create delete edit issue make send update void",
        "bank_transaction credit credit_note debit_note gift_card sale_receipt store_credit vendor_credit",
    ),
    _sense(Category.FINANCIAL, "takes the money", "capture", "authorization authorisation charge fund order payment"),
    _sense(
        Category.FINANCIAL,
        "advertising spends money",
        "activate boost create duplicate edit enable launch publish resume schedule set start update",
        "ad ad_budget ad_campaign ad_group ad_set adgroup adset budget_schedule campaign_budget",
    ),
    _sense(
        Category.FINANCIAL,
        "an order commits money",
        "amend cancel close complete create decrease execute increase modify open place replace start submit",
        "bet bid grid_bot order position trade trading_bot",
        "sort stop view work",
    ),
    _sense(
        Category.FINANCIAL,
        "changes what is owed",
        "change downgrade subscribe switch upgrade",
        "plan subscription tier",
        _NOT_MONEY,
    ),
    _sense(Category.FINANCIAL, "commits to a purchase", "accept make", "bid offer quote"),
    _sense(Category.FINANCIAL, "commits to a purchase", "order reorder", "food grocery meal order product"),
    _sense(Category.FINANCIAL, "permits spending", "enable", "auto_recharge auto_renewal autopay"),
    _sense(Category.FINANCIAL, "advertising spends money", "boost promote", "listing post product"),
    _sense(Category.FINANCIAL, "commits to a purchase", "book reserve", "cab car flight hotel rental ride ticket trip"),
    _sense(Category.WRITE, "takes back what was asked", "withdraw", "application consent invitation offer request"),
    _sense(Category.FINANCIAL, "trades", "exercise", "contract option option_position position"),
    _sense(
        Category.FINANCIAL,
        "permits spending",
        "approve increase set",
        "allowance credit_limit spend_limit spending spending_limit",
    ),
    _sense(Category.FINANCIAL, "permits spending", "authorise authorize", "payment transaction transfer order charge"),
    _sense(
        Category.FINANCIAL,
        "moves money",
        "approve bridge create cancel execute initiate make request reverse schedule send submit swap transfer unwrap"
        " wrap",
        "bitcoin btc coin crypto eth fund money sol transfer usdc wallet_transaction",
        "call data domain file ownership",
    ),
    _sense(
        Category.FINANCIAL,
        "moves money",
        "bridge broadcast delegate launch mint send sign submit supply swap transfer",
        "asset erc20 nft stake tip token transaction",
        "access auth csrf device push reset session verification",
    ),
    _sense(
        Category.FINANCIAL,
        "prepares a payment",
        "create generate issue",
        "card_token credit_card debit_card payment_card virtual_card",
    ),
    _sense(Category.FINANCIAL, "commits to a purchase", "register renew", "domain license membership"),
    _sense(Category.FINANCIAL, "money or a debt moves", "", _MONEY, _NOT_MONEY),
    # --- what runs
    _sense(
        Category.EXECUTE,
        "starts it",
        "create dispatch schedule submit",
        "browser_session build deployment execution job pipeline prediction rollout run sandbox training",
        "schedule",
    ),
    _sense(Category.EXECUTE, "starts it anew", "reset", "device droplet instance machine router server vm"),
    _sense(Category.EXECUTE, "probes other machines", "scan", "host network port subnet target"),
    _sense(Category.EXECUTE, "cuts a machine off", "isolate lock", "device endpoint host machine"),
    _sense(Category.READ, "asks a question", "ask", "question"),
    _sense(Category.EXECUTE, "has it carried out", "delegate", "agent assistant subagent task"),
    _sense(Category.EXECUTE, "changes what runs", "flash update", "firmware kernel os software system"),
    _sense(
        Category.EXECUTE,
        "changes what runs",
        "activate cancel close confirm replay requeue resend reset start suspend",
        "build deployment execution export import job operation pipeline prediction process query rollout run scan"
        " simulation task test training",
    ),
    _sense(
        Category.EXECUTE, "acts in a browser", "accept close dismiss drop handle", "browser dialog page popup window"
    ),
    _sense(Category.EXECUTE, "acts in a browser", "move set", "cursor focus mouse pointer"),
    _sense(Category.EXECUTE, "acts in a browser", "choose select uncheck", "checkbox element page tab window"),
    _sense(Category.EXECUTE, "plays it through", "simulate", "call click conversation event gesture input keypress"),
    _sense(
        Category.EXECUTE,
        "opens or ends a process",
        "close open",
        "app application browser door garage gate session shell sim simulator tab terminal tunnel url valve window",
    ),
    _sense(Category.EXECUTE, "rolls it out", "commit complete finish", "cutover failover migration rollout"),
    _sense(Category.EXECUTE, "rolls it out", "apply", "infrastructure kubectl manifest migration stack terraform"),
    _sense(
        Category.EXECUTE,
        "moves a device",
        "activate control lock move set toggle unlock",
        "arm axis brightness car climate cover door fan gate joint lamp light orientation outlet robot scene switch"
        " temperature thermostat vehicle volume",
    ),
    _sense(Category.EXECUTE, "has it carried out", "send", "command key keystroke signal"),
    _sense(Category.EXECUTE, "starts it", "kick", "off"),
    _sense(Category.EXECUTE, "opens a tunnel", "forward", "port"),
    _sense(Category.EXECUTE, "trains it", "tune", "model"),
    _sense(Category.EXECUTE, "places a call", "create make place send start", "call voice_call"),
    # --- what only changes
    _sense(Category.WRITE, "changes a picture or a sound", "remove", "background noise silence watermark"),
    _sense(Category.WRITE, "changes how it looks", "resize", "column element frame image node row shape"),
    _sense(Category.WRITE, "changes a rank", "demote promote", "candidate epic issue member milestone role user"),
    _sense(
        Category.WRITE,
        "is set again at any time",
        "clear disconnect",
        "buffer cache console context default dir directory filter selection session",
    ),
    _sense(Category.WRITE, "fills again by itself", "flush invalidate purge", "cache cdn"),
    _sense(Category.WRITE, "a small sign", "start stop", "typing"),
    _sense(Category.WRITE, "notes the time", "pause resume start stop", "time_entry timer"),
    # --- what is lost
    _sense(
        Category.DESTRUCTIVE,
        "what is there is overwritten",
        "restore",
        "backup cluster database disk droplet environment instance machine server site snapshot vm volume website",
    ),
    _sense(
        Category.DESTRUCTIVE,
        "what was there is lost",
        "reset",
        "branch commit data database dns dns_record dns_zone factory head offset table zone",
    ),
    _sense(
        Category.DESTRUCTIVE,
        "its disk is written anew",
        "format rebuild recreate reinstall",
        "computer disk drive droplet instance machine operating_system os partition server vm volume vps",
    ),
    _sense(Category.DESTRUCTIVE, "what was there is lost", "trim", "array history list log stream"),
    _sense(
        Category.DESTRUCTIVE,
        "takes a protection away",
        "deactivate disable",
        "backup firewall mfa protection waf",
        "privacy",
    ),
    _sense(
        Category.DESTRUCTIVE,
        "it is gone afterwards",
        "confirm execute initiate perform request schedule start submit trigger",
        "deletion destruction erasure removal",
    ),
    _sense(
        Category.DESTRUCTIVE,
        "it is gone afterwards",
        "terminate",
        "cluster droplet environment fleet instance machine server vm",
    ),
    _sense(Category.DESTRUCTIVE, "somebody else can have it", "release", "elastic_ip ip ip_address phone_number"),
    _sense(Category.DESTRUCTIVE, "gives up membership", "leave", "channel chat group organization team workspace"),
)
"""Looked at in this order for the verb that was found; the first that fits counts."""
