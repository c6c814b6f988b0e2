"""Sentence patterns of the demo corpus, in two sets that share no pattern: one for train and dev, one for test.

The notation: words separated by spaces; `[P0]` a name slot (a letter of `NameSource.draw` and a number that tells the
slots of a pattern apart), `[P0*]` one that may carry a modifier; `{job}` a common word from `WORDS`; after `=>` the
relations that the pattern states, by slot number (`works_for 0 1`: the Person of slot 0 works for slot 1). `~` in
front: the pattern takes no lead or tail. A clause that starts with slot 0 can give its verb phrase to another clause.

What a relation means here: the sentence says so, in words that hold for the reader. A former employee, a failed bid
or a place inside the name of an organization ("University of Marrowby") states none.
"""

from __future__ import annotations

# Common words, shared by all splits.
WORDS = {
    "job": "engineer,nurse,lawyer,accountant,translator,designer,chemist,biologist,technician,analyst,editor,surveyor,"
    "historian,programmer,pharmacist,librarian",
    "a_job": "an engineer,a nurse,a lawyer,an accountant,a translator,a designer,a chemist,a marine biologist,"
    "a technician,a senior analyst,an editor,a surveyor,a historian,a software developer,a pharmacist,a librarian",
    "chief": "chief executive,chairman,deputy director,head of research,treasurer,general manager,finance director,"
    "chief economist,head of sales,managing director",
    "dept": "research,sales,finance,legal,training,marketing,design,safety",
    "subject": "physics,modern history,music,law,chemistry,economics,philosophy,mathematics",
    "firm": "struggling,profitable,ambitious,listed,private,troubled,foreign,young",
    "town_kind": "market town,fishing village,port city,mining town,quiet suburb,university town,spa town,"
    "mountain village",
    "a_firm": "a struggling,a profitable,an ambitious,a listed,a private,a troubled,a foreign,a young",
    "direction": "northern,southern,eastern,western,central",
    "thing": "tablet,camera,electric van,drone,folding bicycle,speaker,printer,wristwatch,solar panel,water pump",
    "things": "tablets,cameras,electric vans,drones,bicycles,speakers,printers,watches,solar panels,water pumps",
    "adj": "cheap,light,compact,sturdy,powerful,simple",
    "topic": "harbour plan,merger,pay deal,new timetable,flood defences,budget,building permit,safety report,"
    "tax reform",
    "day": "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday",
    "month": "January,March,April,June,July,September,October,November,December",
    "year": "1968,1974,1981,1987,1992,1996,1999,2003,2007,2011,2014,2018,2021",
    "num": "12,15,18,30,45,60,90,120,200,350,400,600",
    "small": "two,three,four,five,seven,nine,ten,eleven",
    "age": "29,34,38,41,47,52,56,63,68,71",
}

TRAIN_CLAUSES = """
[P0*] works for [O1*] => works_for 0 1
[P0*] works for [O1*] as {a_job} => works_for 0 1
[P0*] joined [O1*] as {a_job} in {year} => works_for 0 1
[O1*] hired [P0*] as its {chief} => works_for 0 1
[O1*] named [P0*] as its new {chief} on {day} => works_for 0 1
[P0] has been {a_job} at [O1*] since {year} => works_for 0 1
[P0*] serves as {chief} of [O1*] => works_for 0 1
[P0*] was appointed {chief} of [O1*] => works_for 0 1
[P0] runs the {dept} department at [O1*] => works_for 0 1
[P0] teaches {subject} at [U1] => works_for 0 1
[P0*] has worked at [O1] for {small} years => works_for 0 1
~[P0] , {a_job} with [O1] , said the {topic} would take months => works_for 0 1
~[O1] {job} [P0] told reporters that the talks had stalled => works_for 0 1
~the {chief} of [O1] , [P0] , welcomed the {topic} => works_for 0 1
~[P0] , [O1] 's {chief} , defended the {topic} on {day} => works_for 0 1
~[O1] 's {chief} , [P0] , did not return calls => works_for 0 1
[O1] has put [P0] in charge of its {dept} division => works_for 0 1
among those promoted by [O1] was [P0*] , who will lead the {dept} team => works_for 0 1
[P0] and [P2] both work for [O1] => works_for 0 1; works_for 2 1
[P0] of [O1] met [P2] of [O3] in [T4] => works_for 0 1; works_for 2 3
[P0] left [O2] to become {chief} of [O1] => works_for 0 1
~[O1] spokesman [M0] called the report unfair => works_for 0 1
~on behalf of [O1] , {job} [P0] apologised to the families => works_for 0 1
[P0*] is on the payroll of [O1*] => works_for 0 1
[P0] got a job as {a_job} at [O1] => works_for 0 1
[O1] found its new {chief} in [P0] => works_for 0 1
the members of [O1] chose [P0] as {chief} => works_for 0 1
~" we were not told anything about the {topic} , " said [P0] , {a_job} at [O1] => works_for 0 1
[P0*] lives in [T1*] => lives_in 0 1
[P0*] moved to [T1*] in {year} => lives_in 0 1
[P0*] has lived in [T1*] since {year} => lives_in 0 1
~[P0] , a resident of [T1*] , complained about the noise => lives_in 0 1
~[T1] resident [P0] said the water rose within minutes => lives_in 0 1
[P0] shares a house in [T1*] with two dogs => lives_in 0 1
neighbours of [P0] in [T1] described a quiet {job} => lives_in 0 1
[P0] settled in [T1*] after leaving the army => lives_in 0 1
a storm damaged the home of [P0] in [T1*] => lives_in 0 1
at home in [T1] , [P0*] keeps hundreds of old maps => lives_in 0 1
[P0] and [P2] live in [T1*] => lives_in 0 1; lives_in 2 1
[F0] rents a flat in [T1*] => lives_in 0 1
[P0] has made [T1] home for {small} years => lives_in 0 1
[P0] , {age} , of [T1] , won first prize => lives_in 0 1
the {job} [P0] lives in [T1*] but grew up in [T2] => lives_in 0 1
~" nobody slept that night , " said [P0] , who lives in [T1] => lives_in 0 1
people living in [T1] , among them [P0] and [P2] , signed the letter => lives_in 0 1; lives_in 2 1
a neighbour in [T1] , [P0] , called the police => lives_in 0 1
~[P0] , a pensioner from [T1] , found the wallet => lives_in 0 1
[P0] left the capital and now has a home in [T1*] => lives_in 0 1
[T1] has been the home of [P0] for {small} years => lives_in 0 1
[P0] stays in a small cabin in [T1*] => lives_in 0 1
the inhabitants of [T1] know [P0] as a good neighbour => lives_in 0 1
[P0*] is married to [P1*] => married_to 0 1
[P0] married [P1*] in {year} => married_to 0 1
[M0] and his wife , [F1] , opened a small bakery => married_to 0 1
~[F0] 's husband , [M1] , said the family was relieved => married_to 0 1
[F0] , the wife of [M1] , turned down the award => married_to 0 1
the wedding of [P0] and [P1] took place in [T2] => married_to 0 1
[P0] and [P1] , who married in {year} , have {small} children => married_to 0 1
[M0] met his future wife , [F1] , at the [E2] => married_to 0 1
[P0] wed [P1] at a small ceremony in {month} => married_to 0 1
[P0] and [P1] have been married for {small} years => married_to 0 1
[M0] thanked his wife [F1] and his lawyer [P2] => married_to 0 1
[F0] and [M1] became husband and wife in {month} => married_to 0 1
[P0] and [P1] said yes to each other in [T2] => married_to 0 1
[F0] was a happy bride when she married [M1] => married_to 0 1
the bride , [F0] , and the groom , [M1] , danced until midnight => married_to 0 1
[M0] proposed to [F1] in {month} and married her a year later => married_to 0 1
guests at the marriage ceremony of [P0] and [P1] came from {small} countries => married_to 0 1
[P0] and [P1] marked {num} years of marriage with a party => married_to 0 1
[F0] , whose husband [M1] is {a_job} , paid the fine => married_to 0 1
[P0*] founded [C1*] in {year} => founded 0 1
[C1*] was founded by [P0*] in {year} => founded 0 1
[P0*] set up [C1*] with a small loan => founded 0 1
[C1*] was set up by [P0*] => founded 0 1
~[P0] , founder of [C1] , gave the opening speech => founded 0 1
~the founder of [C1] , [P0] , died on {day} => founded 0 1
[P0] and [P2] founded [C1*] => founded 0 1; founded 2 1
~[C1] founder [P0] plans to retire => founded 0 1
[C1] , which [P0] founded in {year} , employs {num} people => founded 0 1
[P0] started [C1*] in a garage => founded 0 1
[P0*] created [O1*] to help young farmers => founded 0 1
[P0] launched [C1*] with {small} employees => founded 0 1
[C1] was created by [P0] and [P2] in {year} => founded 0 1; founded 2 1
the founders , [P0] and [P2] , sold shares in [C1] => founded 0 1; founded 2 1
~[P0] , who started [C1] with {small} friends , is proud of it => founded 0 1
[C1] began as an idea of [P0*] => founded 0 1
with money from a bank , [P0] opened [C1] in {year} => founded 0 1
[C1] was launched by [P0] in a small workshop => founded 0 1
[P0] built up [C1] over {small} years from nothing => founded 0 1
[P0] founded [C1] in [T2*] in {year} => founded 0 1; based_in 1 2
[O0*] is based in [T1*] => based_in 0 1
[O0*] has its headquarters in [T1*] => based_in 0 1
the headquarters of [O0] in [T1*] were closed on {day} => based_in 0 1
[T1*] is home to [O0*] => based_in 0 1
[C0*] moved its head office to [T1*] => based_in 0 1
from its offices in [T1] , [C0*] sends food to {small} countries => based_in 0 1
[C0] of [T1] won the contract => based_in 0 1
[O0] operates from a small office in [T1*] => based_in 0 1
[T1] is the seat of [O0] and of [O2] => based_in 0 1; based_in 2 1
the [T1] headquarters of [O0] will be rebuilt => based_in 0 1
[C0] , {a_firm} company based in [T1] , cut {num} jobs => based_in 0 1
[C0] ( [T1] ) and [C2] ( [T3] ) share the contract => based_in 0 1; based_in 2 3
[O0] , whose headquarters are in [T1] , has {num} employees => based_in 0 1
[O0*] runs its operations out of [T1*] => based_in 0 1
the main building of [O0] in [T1] was damaged by fire => based_in 0 1
[C0] transferred its main office to [T1*] => based_in 0 1
in [T1] , where [O0] is based , shops stayed closed => based_in 0 1
[O0] has been at home in [T1*] since {year} => based_in 0 1
[O0] , with head offices in [T1] , reported a profit => based_in 0 1
[C0*] acquired [C1*] for $ {num} million => acquired 0 1
[C1*] was acquired by [C0*] in {year} => acquired 0 1
[C0*] bought [C1*] => acquired 0 1
[C1*] was bought by [C0*] for $ {num} million => acquired 0 1
regulators approved [C0] 's acquisition of [C1] => acquired 0 1
[C0*] has agreed to buy [C1*] => acquired 0 1
[C0*] took over [C1*] in {month} => acquired 0 1
[C0*] completed its takeover of [C1*] => acquired 0 1
the purchase of [C1] by [C0] created {num} jobs => acquired 0 1
[C0] bought [C1] from [C2] for $ {num} million => acquired 0 1
[C0] , which bought [C1] in {year} , is now looking for partners => acquired 0 1
[C0] of [T2] bought [C1] of [T3] => acquired 0 1; based_in 0 2; based_in 1 3
the takeover of [C1] by [C0] surprised [C2] => acquired 0 1
[C0] acquired both [C1] and [C2] => acquired 0 1; acquired 0 2
[C1] sold itself to [C0] for $ {num} million => acquired 0 1
the owners of [C1] agreed to sell the company to [C0] => acquired 0 1
the sale of [C1] to [C0] was completed in {month} => acquired 0 1
[C0] spent $ {num} million on [C1] => acquired 0 1
[C1] now belongs to [C0] => acquired 0 1
[C0] picked up the smaller [C1] cheaply => acquired 0 1
[C0] merged [C1] into its own business after buying it => acquired 0 1
with [C1] , [C0] bought its third competitor => acquired 0 1
[C0*] makes the [W1] => makes 0 1
[C0*] manufactures the [W1] , a popular {thing} => makes 0 1
the [W1] is made by [C0*] => makes 0 1
[C0*] unveiled the [W1] , its new {thing} => makes 0 1
[C0] 's [W1] {thing} won a design award => makes 0 1
[C0] has produced the [W1] since {year} => makes 0 1
the [W1] , a {adj} {thing} made by [C0] , sold out in {month} => makes 0 1
[C0*] began production of the [W1] => makes 0 1
[C0] recalled {num} [W1] {things} => makes 0 1
[C0*] launched the [W1] at the [E2*] => makes 0 1
[C0] , maker of the [W1] , reported a loss => makes 0 1
strong sales of the [W1] lifted profits at [C0*] , which makes it in [T2] => makes 0 1
[C0] makes the [W1] and the [W2] => makes 0 1; makes 0 2
the [W1] is assembled at a plant owned by [C0] => makes 0 1
the [W1] {thing} left the factory of [C0] in {month} => makes 0 1
[C0] showed its first {thing} , the [W1] , to the public => makes 0 1
[C0] brought out the [W1] in {month} => makes 0 1
engineers at [C0] designed and built the [W1] => makes 0 1
[T0*] is a {town_kind} in [R1] => located_in 0 1
[T0*] lies in [R1] => located_in 0 1
[T0] is located in the south of [R1] => located_in 0 1
the {town_kind} of [T0] , in [R1] , lost its last school => located_in 0 1
[R1] 's largest city , [T0] , is short of water => located_in 0 1
[T0] is the capital of [R1] => located_in 0 1
in [T0] , [R1] , {num} houses were flooded => located_in 0 1
heavy rain closed the roads around [N0] in {direction} [K1] => located_in 0 1
[N0] lies in {direction} [K1] => located_in 0 1
[R1] includes the towns of [T0] and [T2] => located_in 0 1; located_in 2 1
flooding hit [T0] and [T2] in [R1] => located_in 0 1; located_in 2 1
[T0] is one of the oldest towns in [R1] => located_in 0 1
a fire broke out near [T0] , a {town_kind} in {direction} [K1] => located_in 0 1
[T0] stands in the middle of [R1] => located_in 0 1
[T0] , the second largest port of [R1] , was quiet on {day} => located_in 0 1
{small} climbers were lost at [N0] in {direction} [K1] => located_in 0 1
on the coast of [R1] , [T0] draws many tourists => located_in 0 1
[T0] and [T2] are both towns in [R1] => located_in 0 1; located_in 2 1
a map shows [T0] near the border of [R1] , to which it belongs => located_in 0 1
the [E0*] was held in [T1*] => held_in 0 1
the [E0*] will take place in [T1*] => held_in 0 1
the [E0] opened in [T1*] on {day} => held_in 0 1
[T1*] hosted the [E0] => held_in 0 1
[T1] will host the [E0] in {month} => held_in 0 1
thousands gathered in [T1] for the [E0] => held_in 0 1
[P2*] attended the [E0] in [T1] => held_in 0 1
the [E0] in [T1] was cancelled because of the storm => held_in 0 1
[P2] won the [G0] , which was held in [T1] => held_in 0 1
[O2*] will sponsor the [E0] in [T1*] => held_in 0 1
the next [E0] takes place in [T1] in {month} => held_in 0 1
~[T1] was full of visitors on {day} , when the [E0] began there => held_in 0 1
the [E0] starts in [T1*] on {day} => held_in 0 1
[T1] was picked to host the [E0] => held_in 0 1
crowds filled the centre of [T1] for the [E0] => held_in 0 1
the organisers of the [E0] have chosen [T1] => held_in 0 1
[T1] received {num} visitors during the [E0] => held_in 0 1
the site of this year 's [E0] is [T1*] => held_in 0 1
[P2] came fourth at the [G0] in [T1] => held_in 0 1
"""

TRAIN_NEUTRAL = """
[P0*] criticised [O1*] over the {topic}
[P0*] visited [T1*] in {month}
[P0*] met [P1*] to discuss the {topic}
[O0*] sued [O1*] over unpaid bills
talks between [C0*] and [C1*] broke down on {day}
[C0*] dropped its bid for [C1*]
[C0*] denied that it wanted to buy [C1]
[P0*] resigned from [O1*] in {month}
[P0] , a former {chief} of [O1] , wrote a book about the case
[P0] used to work for [O1] but now writes novels
[P0] , once {chief} at [O1] , keeps bees
[P0] , a retired {job} , complained to [O1]
[P0] and [P1] wrote the report on the {topic}
[P0] was born in [T1*] but left as a child
[P0] gave a talk in [T1*] about the {topic}
[P0] 's brother , [P1] , won the chess tournament
[O0] ordered {num} [W1] {things}
[P0*] bought a [W1] for {num} dollars
[P0] repaired an old [W1] {thing} by hand
critics liked the [W1] better than the [W2]
the road from [T0] to [T1] was closed on {day}
a train from [T0*] to [T1*] was delayed by {small} hours
[P0*] missed the [G1] because of an injury
[P0] flew from [T1] to [T2] on {day}
[O0*] refused to comment on the {topic}
[O0*] and [O1*] signed an agreement on the {topic}
[O0*] thanked [P1*] for a donation of $ {num} million
[O0] opened a second branch in [T1*]
the mayor of [T0] , [P1] , asked [O2] for help
[O0*] gave [P1] a prize at the [E2]
[P0] defeated [P1] in the final of the [G2]
tickets for the [E0*] went on sale on {day}
Mr. [S0] and Ms. [S1] did not attend the hearing
Dr. [S0] warned [O1*] about the {topic}
snow is expected in [T0] , [T1] and [T2] on {day}
shares in [C0] fell {num} cents while those of [C1] rose
~[P0] asked why [O1] had kept silent about the {topic}
~" this is a good day , " said [P0*]
[P0] painted the harbour of [T1]
the ship left [T0] with {num} containers for [C1]
[P0] lost the case against [P1] and [O2]
[T0*] and [T1*] both want a new hospital
"""

TRAIN_EMPTY = """
the {topic} was postponed until {month}
prices rose by {small} percent in {month}
heavy rain is expected on {day}
the committee will discuss the {topic} again on {day}
no one was hurt , but {num} {things} were destroyed
the police found {num} {things} in an abandoned barn
{a_job} and {small} volunteers cleaned the beach on {day}
" the {topic} is dead , " one {job} said
farmers are worried about the dry summer
nearly {num} people signed the letter against the {topic}
the {town_kind} has had no {job} since {month}
demand for {things} fell for the third month in a row
the court will rule on the {topic} in {month}
why was the {topic} kept secret ?
every second {job} now works from home
"""

TRAIN_MODIFIERS = """
[P0] , {a_job} at [O1] , => works_for 0 1
[O1] {job} [P0] => works_for 0 1
[P0] , the {chief} of [O1] , => works_for 0 1
[P0] of [O1] => works_for 0 1
[P0] , who lives in [T1] , => lives_in 0 1
[P0] of [T1] => lives_in 0 1
[P0] , founder of [C1] , => founded 0 1
[P0] , whose house is in [T1] , => lives_in 0 1
[P0] , {a_job} working for [O1] , => works_for 0 1
[P0] , {age} ,
[P0] , a former {job} ,
{job} [P0]
Dr. [P0]
[O0] , which is based in [T1] , => based_in 0 1
[C0] of [T1] => based_in 0 1
[O0] , based in [T1] , => based_in 0 1
[C0] , the [T1] company , => based_in 0 1
[C0] , founded by [P1] in {year} , => founded 1 0
the {firm} company [C0]
{a_firm} company called [C0]
[C0] , maker of the [W1] , => makes 0 1
[T0] in [R1] => located_in 0 1
[T0] , [R1] , => located_in 0 1
[T0] , a {town_kind} in [R1] , => located_in 0 1
[T0] , a place of {num} houses in {direction} [K1] , => located_in 0 1
the {town_kind} of [T0]
[E0] in [T1] => held_in 0 1
"""

TRAIN_LEADS = """
[P0] said on {day} that
[O0] reported that
court papers show that
according to [O0] ,
according to the local press ,
despite the criticism ,
it became known on {day} that
a letter from [P0] to [P1] confirms that
as expected ,
"""

TRAIN_TAILS = """
, officials said on {day}
, [P0] said
, according to [O0]
, court documents show
, the news agency [C0] reported on {day}
, according to two people familiar with the matter
, a move that [P0] called surprising
"""

TEST_CLAUSES = """
[P0*] is employed by [O1*] as {a_job} => works_for 0 1
~[O1] spokeswoman [F0] rejected the claims => works_for 0 1
~speaking for [O1] , {job} [P0] called the {topic} a mistake => works_for 0 1
[O1*] recruited [P0*] to head its {dept} unit => works_for 0 1
[P0*] earns a living as {a_job} at [O1*] => works_for 0 1
[P0] took a post as {a_job} with [O1*] => works_for 0 1
[O1*] has picked [P0] to be its next {chief} => works_for 0 1
[O1*] employs [P0] as {a_job} => works_for 0 1
[P0*] became {chief} of [O1*] in {year} => works_for 0 1
[P0] was elected {chief} of [O1] by a narrow margin => works_for 0 1
~[P0] , professor of {subject} at [U1] , presented the findings => works_for 0 1
~" we have nothing to hide , " insisted [P0] , the {chief} of [O1] => works_for 0 1
[P0*] resides in [T1*] => lives_in 0 1
[P0*] relocated to [T1*] {small} years ago => lives_in 0 1
[P0] bought a house in [T1*] and has stayed there ever since => lives_in 0 1
[P0] is a longtime inhabitant of [T1*] => lives_in 0 1
police searched the apartment of [P0] in [T1] => lives_in 0 1
[P0] dwells alone in a cottage in [T1*] => lives_in 0 1
[P0] has been living in [T1*] with {small} cats => lives_in 0 1
~[P0] , a villager from [T1] , lost the keys twice in one week => lives_in 0 1
[P0] still occupies the family farmhouse in [T1*] => lives_in 0 1
residents of [T1] include [P0] and [P2] => lives_in 0 1; lives_in 2 1
one homeowner in [T1] , [P0] , heard the explosion => lives_in 0 1
[M0] tied the knot with [F1*] in {month} => married_to 0 1
[P0] and [P1] exchanged wedding vows in [T2] => married_to 0 1
~[M0] 's spouse , [F1] , answered the door => married_to 0 1
[F0] and her husband [M1] adopted {small} children => married_to 0 1
[P0] and [P1] celebrated their wedding anniversary in [T2] => married_to 0 1
[M0] took [F1] as his bride => married_to 0 1
newlyweds [P0] and [P1] left for their honeymoon => married_to 0 1
the marriage of [P0] to [P1] was announced in {month} => married_to 0 1
[F0] , who is [M1] 's wife , plays the violin => married_to 0 1
[P0*] established [C1*] in {year} => founded 0 1
[U1*] was established by [P0*] => founded 0 1
[P0] and [P2] co-founded [C1*] => founded 0 1; founded 2 1
[C1*] was started by [P0*] in a rented room => founded 0 1
[P0*] built [C1*] from scratch => founded 0 1
~[P0] , the entrepreneur who created [C1] , never finished school => founded 0 1
in {year} [P0] opened [C1] with borrowed money => founded 0 1
the founders of [C1] , [P0] and [P2] , met at school => founded 0 1; founded 2 1
[O0*] is headquartered in [T1*] => based_in 0 1
[O0*] runs its business from [T1*] => based_in 0 1
[O0*] has its main office in [T1*] => based_in 0 1
[T1] houses the head office of [O0] => based_in 0 1
~[O0] , whose main building stands in [T1] , lost power for {small} hours => based_in 0 1
the main offices of [O0] in [T1*] were searched => based_in 0 1
[C0*] shifted its headquarters to [T1*] => based_in 0 1
the corporate home of [C0] is [T1*] => based_in 0 1
[C0*] purchased [C1*] => acquired 0 1
[C0] snapped up its rival [C1*] => acquired 0 1
[C1*] was sold to [C0*] => acquired 0 1
[C0*] paid $ {num} million for [C1*] => acquired 0 1
[C1] was taken over by [C0] => acquired 0 1
[C1] became part of [C0] after a $ {num} million deal => acquired 0 1
shareholders of [C1] approved its sale to [C0] => acquired 0 1
[C0] bought up [C1] and [C2] => acquired 0 1; acquired 0 2
[C0*] builds the [W1] => makes 0 1
the [W1] is produced by [C0*] => makes 0 1
[C0*] rolled out the [W1] {thing} => makes 0 1
the [W1] , manufactured by [C0] , comes in {small} colours => makes 0 1
[C0] presented its latest {thing} , the [W1] => makes 0 1
the [W1] {thing} comes from the factories of [C0] => makes 0 1
[C0*] put the [W1] on the market => makes 0 1
[C0] assembles the [W1] and the [W2] at the same plant => makes 0 1; makes 0 2
[T0*] sits in the heart of [R1] => located_in 0 1
[T0] is situated in {direction} [K1] => located_in 0 1
[R1] 's second city is [T0] => located_in 0 1
[T0] can be found on the coast of [R1] => located_in 0 1
[N0] rises in {direction} [K1] => located_in 0 1
hikers were rescued at [N0] in [R1] => located_in 0 1
~the mayor of [T0] , the biggest port in [R1] , blamed the weather => located_in 0 1
trains stop in [T0] and [T2] , both in {direction} [K1] => located_in 0 1; located_in 2 1
the [E0*] was staged in [T1*] => held_in 0 1
the [E0*] gets under way in [T1*] on {day} => held_in 0 1
[T1] was chosen as the venue of the [E0] => held_in 0 1
[T1*] welcomed {num} guests to the [E0] => held_in 0 1
the streets of [T1] were packed for the [E0] => held_in 0 1
organisers brought the [E0] to [T1*] => held_in 0 1
[P2*] finished third at the [G0] in [T1*] => held_in 0 1
"""

TEST_NEUTRAL = """
[P0*] accused [O1*] of delaying the {topic}
[P0*] toured [T1*] in {month}
[P0*] argued with [P1*] about the {topic}
[C0*] withdrew its offer for [C1*]
[O0*] took [O1*] to court
[P0*] quit [O1*] after a dispute over the {topic}
[P0] , once {a_job} at [O1] , has turned to painting
[P0] and [P1] disagreed about the {topic}
[O0*] tested {small} [W1] {things} and returned them
[P0] found a broken [W1] in the attic
the ferry between [T0] and [T1] stopped running on {day}
[P0*] could not travel to the [E1]
neither [O0] nor [O1] answered questions about the {topic}
[O0*] praised [P1*] for saving {small} lives
[P0] came second behind [P1] at the [G2]
Ms. [S0] handed the letter to Dr. [S1] on {day}
[P0] drove from [T1] to [T2] in a single night
power cuts were reported in [T0] and [T1]
[P0] photographed the old bridge of [T1]
[P0] sent [O1] a bill for $ {num}
[C0] and [C1] compete for the same customers
~" it is far too early to celebrate , " warned [P0*]
"""

TEST_EMPTY = """
the vote on the {topic} was moved to {day}
the cost of {things} has doubled since {month}
{small} people escaped through a window
strong winds brought down {num} trees
" nobody asked us about the {topic} , " {a_job} complained
schools will stay closed until {day}
who is going to pay for the {topic} ?
thieves stole {small} {things} from a parked lorry
"""

TEST_MODIFIERS = """
[P0] , who is on the staff of [O1] , => works_for 0 1
[P0] , {a_job} employed at [O1] , => works_for 0 1
[P0] , whose home is in [T1] , => lives_in 0 1
[P0] , the man who founded [C1] , => founded 0 1
[P0] , a retired {job} ,
Professor [P0]
[O0] , headquartered in [T1] , => based_in 0 1
[O0] , which operates out of [T1] , => based_in 0 1
[O0] in [T1] => based_in 0 1
the {firm} firm [C0]
[C0] , the manufacturer of the [W1] , => makes 0 1
[T0] , which lies in {direction} [K1] , => located_in 0 1
[T0] , a town of {num} families in [R1] , => located_in 0 1
[E0] , staged in [T1] , => held_in 0 1
"""

TEST_LEADS = """
[P0] announced on {day} that
an inquiry by [O0] found that
tax files reveal that
in the words of [P0] ,
to the surprise of many ,
"""

TEST_TAILS = """
, sources close to [O0] confirmed
, [P0] wrote on {day}
, the archives reveal
, much to the annoyance of [P0]
"""
