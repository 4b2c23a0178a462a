"""What verbs mean together with the things that they act on, where that is not their common sense."""

from __future__ import annotations

from typing import Final, NamedTuple

from .lexicon import each
from .model import Category


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
    _sense(Category.READ, "asks a question", "ask", "question"),
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
    _sense(Category.EXECUTE, "starts it", "record", "audio screen screencast video"),
    _sense(Category.EXECUTE, "starts it anew", "reset", "device droplet instance machine router server vm"),
    _sense(Category.EXECUTE, "probes other machines", "scan", "host network port subnet target"),
    _sense(Category.EXECUTE, "cuts a machine off", "isolate lock", "device endpoint host machine"),
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
