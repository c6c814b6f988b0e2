"""Short, plain sentences of the demo corpus, in two sets that share no pattern: one for train and dev, one for test.

The notation is that of `patterns`, and `lives|has_lived` in place of a word for one of several (`_` is a space). What a
relation means is the same, too: the past tense states it ("lived in", "worked for", "was married to"), while a birth, a
visit, a wish, a question, a denial and "no longer" state none.
"""

from __future__ import annotations

# Common words, shared by all splits.
PLAIN_WORDS = {
    "kin": "my sister,my brother,my mother,my father,my uncle,my aunt,my cousin,my friend,our neighbour,my son,"
    "my daughter,his brother,her sister,their daughter,my boss,my teacher,her father,his mother,our doctor",
    "kin_one": "sister,brother,mother,father,uncle,aunt,cousin,best friend,neighbour,son,daughter,teacher,boss",
    "who": "she,he,they,we,I,you",
    "one": "she,he",
    "group": "the children,the neighbours,the students,two men,many people,some tourists,the players,three friends,"
    "the workers,the old couple,most people",
    "someone": "a man,a woman,the teacher,the driver,an old lady,a young boy,the doctor,the girl,a policeman,the cook,"
    "nobody,everybody,someone,the farmer,the postman,the manager,a journalist,a stranger",
    "work": "nurse,teacher,doctor,driver,cook,engineer,lawyer,waiter,baker,manager,painter,secretary,farmer,singer",
    "profession": "a nurse,a teacher,a doctor,a driver,a cook,an engineer,a lawyer,a waiter,a baker,a manager,"
    "a painter,"
    "a secretary,a journalist,an architect,a pilot,a dentist,a clerk",
    "fame": "physicist,writer,painter,composer,inventor,chemist,singer,poet,actor,scientist,explorer,philosopher",
    "nation": "German,French,Italian,American,British,Spanish,Japanese,Swedish,Chinese,Dutch,Russian,Polish,Swiss",
    "branch": "car,software,food,clothing,computer,furniture,oil,drug,toy,phone,film",
    "workplace": "the hospital,the post office,a bank,the university,a small bakery,a school,the police,"
    "the city council,"
    "a law firm,a large company,the railway,a newspaper,the army,a hotel,the airport,a supermarket,the government",
    "food": "soup,bread,rice,fish,cheese,apples,oranges,sandwiches,pizza,cake,eggs,chicken,salad,potatoes,"
    "noodles,chocolate,ice cream,bananas,pancakes",
    "drink": "coffee,tea,milk,water,orange juice,beer,lemonade,hot chocolate",
    "animal": "dog,cat,horse,cow,bird,rabbit,mouse,lion,elephant,bear,goat,duck,sheep,snake,monkey,fox,donkey",
    "animals": "dogs,cats,horses,cows,birds,rabbits,mice,lions,elephants,bears,goats,ducks,snakes,monkeys,bees",
    "object": "key,book,umbrella,bicycle,car,phone,bag,letter,hat,lamp,chair,table,window,door,jacket,shirt,watch,"
    "camera,computer,cup,knife,ladder,radio,ticket,piano,guitar,ball,box",
    "objects": "keys,books,umbrellas,bicycles,cars,phones,bags,letters,hats,lamps,chairs,shoes,gloves,glasses,tickets,"
    "flowers,stamps,toys,pictures,candles",
    "plural_place": "shops,schools,museums,hotels,offices,banks,parks,restaurants,beaches",
    "place": "the park,the garden,the kitchen,the library,the market,the station,the beach,the office,the school,"
    "the church,the town hall,the forest,the museum,the supermarket,the theatre,the hotel,the cinema,"
    "the river,the street",
    "vehicle": "train,bus,plane,ferry,taxi,tram,lift,car,truck,boat",
    "when": "yesterday,today,every day,on Monday,on Friday,on Sunday,last week,in the morning,at noon,in March,"
    "in October,last year,in 1998,in 2015,again,at six,tonight,tomorrow,in summer,after lunch,twice,every week",
    "past": "yesterday,on Monday,on Saturday,last week,this morning,at noon,in March,in August,last year,in 1998,"
    "in 2015,in May,at six,two days ago,last summer,after lunch,in 1912,in the spring",
    "state": "late,closed,empty,cold,expensive,broken,full,dirty,quiet,new,old,open,beautiful,small,too loud,blue,red,"
    "green,heavy,wet,free,gone",
    "feeling": "tired,happy,hungry,angry,sick,sad,bored,afraid,busy,late,ready,alone,surprised,ill",
    "weather": "rain,snow,wind,storm,fog,sun,heat,ice,thunder",
    "skill": "chess,the piano,football,tennis,the guitar,cards,the violin,golf,the drums",
    "language": "English,French,Spanish,German,Italian,Japanese,Russian,Arabic",
    "school_subject": "mathematics,history,biology,music,art,geography,physics,chemistry,economics,law",
    "number": "two,three,four,five,six,seven,eight,ten,twelve,twenty,thirty,fifty,a hundred,10,25,300,4000",
    "holiday": "breakfast,lunch,dinner,the holidays,the exam,the meeting,the war,the concert,the game,the wedding",
}

PLAIN_TRAIN_CLAUSES = """
~[O1] president|boss|CEO|engineer|spokesman [P0] bought|sold|forgot|found the {object} => works_for 0 1
[P0] is|was a employee|worker|engineer|manager of|at [O1] => works_for 0 1
[P0] has|had a good|new|boring job at [O1] => works_for 0 1
[P0] left [O2] and now works for|at [O1] => works_for 0 1
[P0] used to work for [O2] , but now he|she works for|at [O1] => works_for 0 1
[P0] , a|the director|manager|president of [O1] , lives|lived in [L2] => works_for 0 1; lives_in 0 2
[P0] lives in [L1] , [P2] works at [O3] => lives_in 0 1; works_for 2 3
~{kin} , [P0] , is {profession} at [O1] in [T2] => works_for 0 1; based_in 1 2
~after school , [P0] worked for|at [O1] => works_for 0 1
~in {year} [P0] went to work for [O1] => works_for 0 1
[P0] cooks|sings|cleans|writes for [O1] => works_for 0 1
[P0] , [P2] and [P3] work|worked for [O1] => works_for 0 1; works_for 2 1; works_for 3 1
[P0] visited [L2] and later|then moved to [L1] => lives_in 0 1
[P0] was born in [L2] , grew up in [L3] and now lives in [L1] => lives_in 0 1
[P0] lived in [T1] , [R2] , {past} => lives_in 0 1; located_in 1 2
~{kin} [P0] lives in [T1] , [R2] => lives_in 0 1; located_in 1 2
[P0] moved to [T1] , [R2] , {past} => lives_in 0 1; located_in 1 2
[P0] lives in [T1] in [R2] => lives_in 0 1; located_in 1 2
[P0] , {age} , lives in [L1] => lives_in 0 1
~in {year} , [P0] moved to [L1] => lives_in 0 1
[P0] lives|lived on a farm|hill|boat near|in [L1] => lives_in 0 1
[P0] lives|lived here|there in [L1] => lives_in 0 1
~today|now [P0] lives in [L1] => lives_in 0 1
[P0] 's parents live in [L2] , but he|she lives in [L1] => lives_in 0 1
[P0] lives in [L1] with [P2] and a|the {animal} => lives_in 0 1; lives_in 2 1
~the founder of [C2] , [P0] , lives|lived in [L1] => lives_in 0 1; founded 0 2
[P0] founded [C1] and lives|lived in [L2] => founded 0 1; lives_in 0 2
[P0] , founder|co-founder of [C1] , visited [L2] => founded 0 1
[P0] , a founder of [C1] , was|is {feeling} => founded 0 1
[C1] was founded by [P0] in [T2] => founded 0 1; based_in 1 2
[C1] was founded in [T2] by [P0] => founded 0 1; based_in 1 2
[C1] was founded in {year} by [P0] => founded 0 1
[C1] was founded by [P0] and [P2] {past} => founded 0 1; founded 2 1
~with {number} friends , [P0] founded [O1] => founded 0 1
~two brothers , [P0] and [P2] , founded [C1] => founded 0 1; founded 2 1
[P0] opened|founded a shop|school|club called|named [O1] => founded 0 1
[P0] and [P1] have been married for {number} years => married_to 0 1
[P0] , who is|was married to [P1] , is|was {feeling} => married_to 0 1
[P0] , the wife|husband of [P1] , is|was {profession} => married_to 0 1
~after {holiday} , [P0] married [P1] => married_to 0 1
[P0] married [P1] and they had|have {number} children => married_to 0 1
[M0] lives with his wife [F1] in [L2] => married_to 0 1; lives_in 0 2; lives_in 1 2
[F0] visited [L2] with her husband [M1] => married_to 0 1
[M0] and [F1] , his wife , like|love {food} => married_to 0 1
[O0] is|was based in [T1] , [R2] => based_in 0 1; located_in 1 2
[O0] has|opened its headquarters in [T1] , [R2] => based_in 0 1; located_in 1 2
[O0] , a|the {branch} company from [L1] , sells {objects} => based_in 0 1
~the {nation} {branch} company [O0] is based in [T1] => based_in 0 1
[U0] is a university|school|college in [T1] => based_in 0 1
[I0] is a famous|small|old museum|hospital|school|club|theatre in [T1] => based_in 0 1
[C0] has a|its main|largest plant|factory|office in [L1] => based_in 0 1
[C0] bought [C1] , a|the small|big|rich {branch} company => acquired 0 1
[C0] bought [C1] in {year} and [C2] in {year} => acquired 0 1; acquired 0 2
[C0] bought [C1] , and [C2] bought [C3] => acquired 0 1; acquired 2 3
~in {year} [C1] was bought|acquired by [C0] => acquired 0 1
[C0] , the owner of [C1] , is in [L2] => acquired 0 1; based_in 0 2
[C0] makes|made|sells {objects} and the [W1] => makes 0 1
[C0] , which makes the [W1] , is based in [L2] => makes 0 1; based_in 0 2
~the [W1] was developed|designed|invented by [C0] => makes 0 1
~the [W1] and the [W2] are|were made|manufactured by [C0] => makes 0 1; makes 0 2
~in {year} , [C0] launched|presented|showed the [W1] => makes 0 1
[T0] is the capital city of [R1] => located_in 0 1
[T0] , a city|town|village in [R1] , is|was {state} => located_in 0 1
[P2] visited|left|likes [T0] , [R1] => located_in 0 1
[P2] grew up in [T0] , [R1] => located_in 0 1
[N0] flows|runs|rises in|through [R1] => located_in 0 1
[N0] flows through [T1] => located_in 0 1
~can you find [T0] in [R1] ? => located_in 0 1
~the first [E0] was held in [L1] {past} => held_in 0 1
~every year , the [E0] is held in [L1] => held_in 0 1
the [E0] of {year} was held|took_place in [L1] => held_in 0 1
the [E0] in [L1] was|is {state} => held_in 0 1
[P0*] works for [O1*] => works_for 0 1
[P0*] works|worked at [O1*] => works_for 0 1
[P0*] worked for [O1*] for {number} years => works_for 0 1
[P0] is|was {profession} at|with [O1*] => works_for 0 1
[P0] works as {profession} at|for [O1] => works_for 0 1
[P0*] is the|a head|director|manager|president|chairman|boss|CEO of [O1*] => works_for 0 1
[P0*] leads|runs|heads|manages|directs [O1*] => works_for 0 1
[P0] teaches|taught {school_subject} at [U1*] => works_for 0 1
[P0*] is|was a professor at [U1*] => works_for 0 1
[P0*] joined [O1*] {past} => works_for 0 1
[O1*] hired|employed|employs [P0*] {past} => works_for 0 1
~[O1] 's boss|manager|president|director , [P0] , was|is {feeling} => works_for 0 1
~[O1] manager|president|chief|director|boss|engineer [P0] spoke|resigned|laughed|answered|called {past} => works_for 0 1
~{kin} [P0] works|worked for|at [O1*] => works_for 0 1
~{kin} , [P0] , works|worked for|at [O1*] => works_for 0 1
[P0] and [P2] work|worked for|at [O1*] => works_for 0 1; works_for 2 1
[P0] , [P2] and [P4] work|worked at [O1] => works_for 0 1; works_for 2 1; works_for 4 1
[P0] works for [O1] , [P2] for [O3] => works_for 0 1; works_for 2 3
~[P0] of [O1] won the prize {past} => works_for 0 1
~the head|director|president|manager of [O1] is|was [P0] => works_for 0 1
[P0] still works at [O1] => works_for 0 1
[P0] got|found|has|took a|her|his job at|with [O1*] {past} => works_for 0 1
[P0] likes|loves|hates|enjoys his|her work|job at [O1] => works_for 0 1
[P0] drives a {vehicle} for [O1] => works_for 0 1
[P0] started|began working|work at|for [O1] {past} => works_for 0 1
~{profession} from [O1] named|called [P0] helped us => works_for 0 1
[P0*] lives in [L1*] => lives_in 0 1
[P0*] lives|lived|has_lived in|near [L1*] => lives_in 0 1
[P0*] lived in [L1*] => lives_in 0 1
[P0*] lived in [T1*] for|about {number} years => lives_in 0 1
~{kin} [P0] lives|lived in [L1*] => lives_in 0 1
~{kin} [P0] moved to [L1*] {past} => lives_in 0 1
[P0] moved|returned|went_back from [L2] to [L1*] {past} and lives there => lives_in 0 1
[P0*] moved to [L1*] => lives_in 0 1
[P0] and [P2] live|lived in [L1*] => lives_in 0 1; lives_in 2 1
[P0] , [P2] and [P3] live in [L1] => lives_in 0 1; lives_in 2 1; lives_in 3 1
[P0] lives in [L1] , but [P2] lives|lived in [L3] => lives_in 0 1; lives_in 2 3
[P0] has|owns|rents|had a house|flat|home|room|farm in [L1*] => lives_in 0 1
[P0] lives|lived alone|happily|quietly in [L1*] => lives_in 0 1
[P0] lives with {number} {animals} in [L1*] => lives_in 0 1
[P0] 's home|house|flat|garden is in [L1] => lives_in 0 1
~in [L1] lives|lived a {work}|man|woman called|named [P0] => lives_in 0 1
[P0] was born in [L2] but|and lives|lived in [L1] => lives_in 0 1
[P0] left [L2] and moved|settled to|in [L1] => lives_in 0 1
[P0] spent his|her|most_of_his|most_of_her life in [L1*] => lives_in 0 1
[P0] from [L1] is|was {feeling}|{profession} => lives_in 0 1
[P0] , who lives in [L1] , is {feeling} => lives_in 0 1
~the {nation} {fame} [P0*] lived in [L1*] => lives_in 0 1
~the {fame} [P0*] lived in [L1*] => lives_in 0 1
{one} said that [P0] lives|lived in [L1] => lives_in 0 1
[P0] stayed|remained in [L1] all|most_of his|her life => lives_in 0 1
[P0*] lives in [T1] , [R2] => lives_in 0 1; located_in 1 2
[P0] lives in [T1] and works for|at [O2] => lives_in 0 1; works_for 0 2
[P0] works for|at [O2] and lives in [T1] => lives_in 0 1; works_for 0 2
[P0] lives in [T1] with her husband [M2] => lives_in 0 1; married_to 0 2
[M0] lives in [T1] with his wife [F2] => lives_in 0 1; married_to 0 2
[M0] and his wife [F2] live|lived in [T1] => lives_in 0 1; married_to 0 2; lives_in 2 1
[P0*] is married to [P1*] => married_to 0 1
[P0*] is|was married to [P1*] => married_to 0 1
[P0*] was married to [P1*] for {number} years => married_to 0 1
[P0*] married [P1*] {past} => married_to 0 1
[P0*] married [P1*] => married_to 0 1
[P0] and [P1] are|were married => married_to 0 1
[P0] and [P1] got married {past} => married_to 0 1
[P0] and [P1] married in [T2] {past} => married_to 0 1
~[M0] 's wife [F1] is|was {feeling}|{profession} => married_to 0 1
~[F0] 's husband [M1] is|was {feeling}|{profession} => married_to 0 1
~[M0] 's wife|bride is|was|is_called|was_called [F1] => married_to 0 1
~[F0] 's husband is|was|is_called|was_called [M1] => married_to 0 1
~[M0] 's wife , [F1] , likes|loves|hates|sells {food} => married_to 0 1
[M0] loves|kissed|misses|called his wife [F1] => married_to 0 1
[F0] loves|kissed|misses|called her husband [M1] => married_to 0 1
[F0] is|was the|a wife of [M1*] => married_to 0 1
[M0] is|was the husband of [F1*] => married_to 0 1
[F0] is|was [M1] 's wife|second_wife|widow => married_to 0 1
[M0] is|was [F1] 's husband => married_to 0 1
[M0] and his wife [F1] like|bought|ate|love {food} => married_to 0 1
[F0] and her husband [M1] have|had {number} children|{animals} => married_to 0 1
~my wife|sister [F0] and her husband [M1] came|left|called {past} => married_to 0 1
~{kin} [P0] is|was married to [P1*] => married_to 0 1
~{kin} [P0] married [P1] {past} => married_to 0 1
~the wedding of [P0] and [P1] was {past} => married_to 0 1
{one} said that [P0] is married to [P1] => married_to 0 1
[P0*] founded [O1*] => founded 0 1
[P0*] founded [O1*] {past} => founded 0 1
[O1*] was founded by [P0*] => founded 0 1
[O1*] was founded by [P0*] {past} => founded 0 1
[P0] is|was the founder|co-founder of [C1*] => founded 0 1
[P0] and [P2] founded [C1*] => founded 0 1; founded 2 1
[P0*] started|created|launched [C1*] {past} => founded 0 1
[O1*] was started|created|launched by [P0*] {past} => founded 0 1
[P0] founded the {branch}|{nation} company [C1] => founded 0 1
~the {nation} {fame} [P0] founded [O1*] => founded 0 1
~[C1] founder [P0] died|called|resigned|smiled {past} => founded 0 1
~the founder of [C1] is|was [P0] => founded 0 1
~{kin} [P0] founded|started [C1] => founded 0 1
[P0] founded both|first [C1] and [C2] => founded 0 1; founded 0 2
[C1] , founded by [P0] , is|was very big|small|rich|old => founded 0 1
~in {year} , [P0] founded [O1*] => founded 0 1
[O0*] is based in [T1*] => based_in 0 1
[O0*] is|was based in [L1*] => based_in 0 1
[O0*] has its|a headquarters|main_office|head_office in [T1*] => based_in 0 1
~[O0] 's headquarters|head_office|offices is|are in [T1*] => based_in 0 1
~the headquarters of [O0] is|are in [T1*] => based_in 0 1
[O0*] is a {branch} company in|from|based_in [L1] => based_in 0 1
[O0] , based in [T1] , is a big|small|old|rich {branch} company => based_in 0 1
[O0] comes|came from [L1] => based_in 0 1
[O0] moved from [T2] to [T1] {past} => based_in 0 1
[O0] and [O2] are|were based in [T1*] => based_in 0 1; based_in 2 1
[O0] is in [T1*] => based_in 0 1
[T1] is the home of [O0] => based_in 0 1
[O0] has its seat|home in [T1] => based_in 0 1
[P2] works for|at [O0] , which is based in [T1] => works_for 2 0; based_in 0 1
[P2] works for|at [O0] in [T1] => works_for 2 0; based_in 0 1
[P2] founded [O0] in [T1] => founded 2 0; based_in 0 1
[C0*] bought [C1*] => acquired 0 1
[C0*] bought [C1*] {past} => acquired 0 1
[C0*] acquired [C1*] => acquired 0 1
[C0*] acquired|took_over [C1*] {past} => acquired 0 1
[C1*] was bought|acquired|taken_over by [C0*] => acquired 0 1
[C1*] was bought|acquired|taken_over by [C0*] {past} => acquired 0 1
[C0] owns|owned [C1*] => acquired 0 1
[C0] has bought|acquired|taken_over [C1*] => acquired 0 1
[C0] bought [C1] and [C2] {past} => acquired 0 1; acquired 0 2
[C1] belongs|belonged to [C0] => acquired 0 1
[C0] bought [C1] for {number} million|billion dollars|euros => acquired 0 1
[C0] is the owner of [C1] => acquired 0 1
~the {branch} company|maker [C0] bought|acquired its rival [C1] => acquired 0 1
{one} said that [C0] bought|acquired [C1] => acquired 0 1
~[C0] 's takeover|acquisition of [C1] was {past} => acquired 0 1
~in {year} , [C0] bought|acquired [C1] => acquired 0 1
[C0*] makes the [W1] => makes 0 1
[C0*] makes|made|manufactures|manufactured the [W1] => makes 0 1
the [W1] is|was made|manufactured by [C0*] => makes 0 1
~[C0] 's [W1] is|was {state} => makes 0 1
~[C0] 's new|first [W1] is|was {state} => makes 0 1
~{kin} bought|has|sold|likes [C0] 's [W1] => makes 0 1
[C0] makes|made the [W1] and the [W2] => makes 0 1; makes 0 2
[C0] launched|introduced|presented|released|invented|developed the [W1] {past} => makes 0 1
the [W1] is|was a {object} from|by|made_by [C0] => makes 0 1
[C0] stopped making the [W1] {past} => makes 0 1
[C0] makes|made {objects} such_as|like the [W1] => makes 0 1
~the [W1] by|from [C0] is|was {state} => makes 0 1
~the maker of the [W1] is|was [C0] => makes 0 1
[T0*] is in [R1*] => located_in 0 1
[T0*] lies|is in [R1*] => located_in 0 1
[T0*] is a|the city|town|village|capital|port in|of [R1] => located_in 0 1
[T0*] is the capital of [R1] => located_in 0 1
~the capital of [R1] is [T0] => located_in 0 1
[T0] is the largest|biggest|second|smallest|oldest city|town in|of [R1] => located_in 0 1
~the largest|biggest|oldest city|town in|of [R1] is [T0] => located_in 0 1
[T0] is in the north|south|east|west of [R1] => located_in 0 1
[T0] is a {state} city|town|place in [R1] => located_in 0 1
[T0] and [T2] are|lie in [R1] => located_in 0 1; located_in 2 1
[T0] and [T2] are cities|towns|villages in [R1] => located_in 0 1; located_in 2 1
[T0] , [T2] and [T3] are in [R1] => located_in 0 1; located_in 2 1; located_in 3 1
[T0] is in [R1] , and [T2] is in [R3] => located_in 0 1; located_in 2 3
[N0] is|lies in [R1] => located_in 0 1
[N0] is the highest|longest|largest|most_famous mountain|lake|river|sight in|of [R1] => located_in 0 1
[N0] is a famous mountain|lake|sight|place in [R1] => located_in 0 1
~the highest|deepest|most_famous mountain|lake|sight in|of [R1] is [N0] => located_in 0 1
[N0] is in [T1] => located_in 0 1
~we visited|saw|climbed|loved [N0] in [L1] => located_in 0 1
~{who} went|travelled|flew|drove to [T0] , [R1] , {past} => located_in 0 1
~{who} spent {number} days in [T0] , [R1] => located_in 0 1
[P2] was born in [T0] , [R1] , {past} => located_in 0 1
[P2] was born|died in [T0] in [R1] => located_in 0 1
~it|there is|was always|often cold|warm|hot|rain in [T0] , [R1] => located_in 0 1
~the weather in [T0] , [R1] , was|is {state} => located_in 0 1
the [E0*] is|was in [T1] => held_in 0 1
the [E0*] was held in [L1] {past} => held_in 0 1
the [E0] was|is held in [L1*] => held_in 0 1
the [E0*] takes|took place in [L1] {when} => held_in 0 1
the {year} [G0] was|were held|took_place in [L1] => held_in 0 1
[L1] hosted|hosts|held the [E0] {past} => held_in 0 1
~{who} went to the [E0] in [L1] {past} => held_in 0 1
~{kin} saw|watched|visited|missed the [E0] in [L1] => held_in 0 1
[P2] won|lost|enjoyed|opened the [G0] in [L1] {past} => held_in 0 1
[P2] met|saw [P3] at the [E0] in [L1] => held_in 0 1
~the next [E0] is|will_be in [L1] => held_in 0 1
the [E0] started|ended|began|opened|finished in [L1] {past} => held_in 0 1
~where|when is the [E0] in [L1] ? => held_in 0 1
[L1] is famous|known for the|its [E0] => held_in 0 1
"""

PLAIN_TRAIN_NEUTRAL = """
[P0] studied|graduated|learned at|from [U1] {past}
[P0] studied {school_subject} at [U1] and is|was {feeling}
[P0] is a student at|of [U1]
[P0] visited|attended [U1] as a child
[P0] is|was the mayor|king|queen|president of [L1]
[P0] lost|found a|the {object} at|in [L1]
[P0] took the {vehicle} to [L1] {past}
[P0] wants to buy a house in [L1]
[P0] wants to visit [P1] in [L2]
[P0] flew to [L1] to visit|see {kin}
[P0] flew to [L1] to visit|see {kin} , [P2]
[P0] fought|lost against [P1] {past}
[P0] was at the station|airport in [L1] {past}
[P0] saw|painted|climbed [N1] {past}
[P0] discovered|crossed|explored [L1] {past}
[P0] has never worked|lived in [L1]
[P0] has never worked for [O1]
[P0] used to work|live in [L1]
[P0] used to work for [O1]
[P0] works|worked|painted|wrote in [L1]
[P0] wrote many books|letters|songs|poems
[P0] sold|gave her|his [W1] to {kin}
[P0] sold|gave his|her {object} to [P1]
~is [P0] still working|employed at|by|for [O1] ?
~is|was [P0] still living in [L1] ?
~is [P0] married ?
~is [P0] working for [O1] now ?
~why did [P0] leave [O1] ?
~who lives|works in [L0] ?
~which company makes|owns the [W0] ?
~what is the capital of [R0] ?
~have you ever seen [N0] ?
~{kin} drives|owns|drove a [W0]
~my car|phone|computer|camera is a [W0]
~I saw|met [P0] in [L1] {past}
~we want to travel to [L0]
~there is a nice museum|park|hotel in [L0]
~everybody in [L0] speaks {language}
[O0] has {number} workers|shops
[O0] lost to [O1] {past}
[O0] opened a new shop|office|hotel in [L1]
[O0] wants to open a shop|office in [L1]
[C0] wants|plans|tried to buy [C1]
[C0] wants|plans to buy a small company in [L1]
[C0] will not buy [C1]
[C0] sells {objects} in [L1] and [L2]
[P0*] was born in [L1*]
[P0*] was born in [L1*] {past}
[P0] grew up in [L1*]
[P0] was born and grew up in [L1]
[P0*] died in [L1] {past}
[P0*] visited|saw|loves|likes|hates|painted|knows [L1*]
[P0*] visited [L1] and [L2] {past}
[P0*] left|reached|forgot|remembers [L1] {past}
[P0*] flew|travelled|went|walked|drove to [L1*] {past}
[P0] flew|travelled|drove from [L1] to [L2] {past}
[P0*] no longer works for|at [O1*]
[P0*] no longer lives in [L1*]
[P0] does|did not work|want_to_work for|at [O1]
[P0] never worked for|at [O1]
[P0] never lived in [L1]
[P0] does|did not live|stay in [L1]
[P0] wants|hopes|plans|would_like to live|work in [L1]
[P0] wants|hopes|tried to work|get_a_job at|for [O1]
[P0*] left|phoned|called|visited|trusts|praised [O1*] {past}
[P0] studied|studies {school_subject} at|in [U1]
[P0] went to [U1] {past}
[P0] wrote a|another book|letter|song about [P1]
[P0] wrote a|another book|letter|song|poem about [L1]
[P0*] met|called|knows|likes|saw|helped|thanked|loves [P1*]
[P0*] met|called|saw|helped|visited [P1] in [L2]
[P0] met|saw|kissed [P1] at the [E2]
[P0] and [P1] are|were friends|cousins|brothers|neighbours|colleagues|twins
[P0] and [P1] went to [L2] {past}
[P0] and [P1] played|like {skill}
[P0] , [P1] and [P2] went|came|drove home {past}
[P0] is|was the brother|sister|father|mother|son|daughter|friend of [P1]
~[P0] 's brother|sister|father|mother|son|daughter|friend|teacher [P1] is|was {feeling}
~[P0] 's {kin_one} is|was {profession}
~[P0] 's {kin_one} likes|eats|bought {food}
~[P0] 's wife|husband is|was {feeling}
~[P0] 's {object} is|was {state}
[P0] divorced|left [P1] {past}
[P0] is taller|older|younger|richer|faster than [P1]
[P0*] is|was {profession}
[P0*] is|was {feeling}
[P0*] is|was a|the {nation} {fame}
[P0*] is|was a famous|young|great {fame}
[P0] likes|eats|ate|cooked|bought {food}
[P0] drinks|drank|likes|ordered {drink} {when}
[P0] plays|played|loves {skill} {when}
[P0] speaks|learned|teaches {language}
[P0] lost|found|sold|repaired|bought|broke a|the|her|his {object}
[P0] has {number} {animals}|children
[P0] saw a|the {animal} in {place}
[P0] slept|cried|laughed|smiled|left|came|called|waited {past}
[P0] invented|discovered|studied the telephone|radio|light|atom|bicycle|camera
[P0] won|received the|a Nobel_Prize|prize|medal {past}
[P0] works as {profession}
[P0] works at|for|in {workplace}
~{kin} works at|for|in {workplace} in [L0]
~{kin} works for|at|in [O0]
~{kin} lives|lived in [L0]
~{kin} is|was from [L0]
~{kin} moved|flew|went to [L0] {past}
~{who} lived in [L0] for {number} years
~I live|lived|work|worked in [L0]
~I work|worked for|at [O0]
~I was born in [L0]
~{one} works|worked for|at [O0]
~{one} lives|lived in [L0] with {number} {animals}
~we moved|went|flew|drove to [L0] {past}
~my name is [P0]
~this is [P0] , {kin}
~{kin} is called [P0]
~{kin} [P0] is|was {feeling}|{profession}
~{kin} [P0] likes|ate|bought|cooked {food}
~{kin} met|called|likes|saw [P0] {past}
~have you seen|met|called [P0] ?
~have you been to [L0] ?
~where is|was [P0] ?
~where does|did [P0] live|work ?
~does|did [P0] live in [L1] ?
~does|did [P0] work for [O1] ?
~did [P0] marry|meet|call [P1] ?
~who is|was [P0] ?
~who founded|owns|runs|sold [C0] ?
~who makes|made|invented|bought the [W0] ?
~where is|was [O0] ?
~where is|was the [E0] ?
~is [L0] far from [L1] ?
~is [L0] bigger|older|warmer than [L1] ?
~did [C0] buy [C1] ?
~please call|ask|help [P0] {when}
~the train|bus|plane|ferry|ship to [L0] is|was {state}
~the train|bus|plane|ferry from [L0] to [L1] is|was {state}
~the road|way|trip|flight from [L0] to [L1] is|was long|short|cheap
~the weather|food|water|air in [L0] is|was {state}
~it rained|snowed in [L0] {past}
~it is|was cold|hot|warm|dark in [L0]
~there are|were many {plural_place} in [L0]
~there was a fire|storm|party|flood in [L0] {past}
~the mayor|people|streets|king|queen of [L0] is|was|were {state}
~the mayor|king|queen of [L0] , [P1] , died|slept|spoke {past}
[L0] is|was {state}
[L0] is|was very|too|quite {state}
[L0] is bigger|older|colder|smaller than [L1]
[L0] is near|far_from|north_of|close_to [L1]
[L0] and [L1] are beautiful|old|far|rich|small
[L0] has {number} {plural_place}|bridges
[R0] and [R1] are neighbours|friends|countries
[R0] won|lost|played against [R1] {past}
[N0] is|was {state}|very_high|very_deep
~we saw|visited|love|painted [N0] {past}
[O0] opened|closed {number} {plural_place} {past}
[O0] sold|bought|lost|needs {number} {objects} {past}
[O0] is|was rich|poor|famous|old|closed|big
[O0] wants to buy [C1]
[C0] did not buy|want [C1]
[C0] and [C1] are rivals|partners|competitors|companies
[C0] works|worked with [C1]
[C0] competes|fought with|against [C1] {past}
[C0] is bigger|older|smaller|richer than [C1]
[C0] hired|fired {number} people {past}
~shares of|in [C0] rose|fell {past}
~the shares of [C0] rose|fell {past}
~{kin} reads|watches|likes|trusts [O0]
~{kin} has|bought|sold|lost|broke a|the|his|her [W0]
~{kin} wants|needs a new [W0]
~I bought|sold|like|love|lost my|a|the [W0] {past}
~my [W0] is|was {state}
~the [W0] is|was {state}
[P0] bought|has|sold|lost|drives|uses a [W1]
[P0] uses|likes|bought the [W1]
the [W0] is cheaper|better|faster|older than the [W1]
[P0] won|watched|missed|lost|loves the [G1] {past}
~{who} watched|missed|saw|love the [E0] {past}
~the [E0] is|was {state}
~the [E0] starts|started|begins|ended {past}
~{kin} likes|loves|missed the [E0]
Mr. [S0] is|was {feeling}|{profession}
Mrs. [S0] and Mr. [S1] are|were {feeling}
Dr. [S0] called|met|helped|saw Ms. [S1] {past}
Mrs. [S0] teaches|taught {school_subject}
Professor [S0] gave a talk|lecture in [L1]
President|Queen|King|Pope [S0] visited|left|saw [L1] {past}
~the {nation} {fame} [P0] visited|died_in|left [L1] {past}
~" I am {feeling} , " said [P0]
~" the {object} is {state} , " answered|shouted|cried [P0]
~everyone|nobody|{someone} likes|knows|saw|remembers [P0]
~a {animal} bit|followed|saw [P0] {past}
~{someone} gave|sold|showed [P0] a {object}
~a letter|message|call|present from [P0] came|arrived {past}
~during|after|before {holiday} , [P0] went home
"""

PLAIN_TRAIN_EMPTY = """
the {vehicle} was|is late|early|full|slow again|today
the {vehicle} is|was {state}
the {vehicle} left|came|arrived|stopped {past}
it is|was very|too|quite cold|hot|warm|late|early|dark {when}
it rained|snowed all|the_whole day|night|week
it will rain|snow {when}
the {weather} was|is very|quite strong|bad|heavy {when}
the {object} is|was {state}
the {objects} are|were {state}
the {animal} is|was {feeling}
the {animal} ate|found|wanted|stole {food}
{animals} eat|like|need {food}
{animals} are|were {feeling}
{animals} and {animals} are|were animals|friends
{kin} likes|ate|bought|cooked|made {food} {when}
{kin} drinks|drank {drink} {when}
{kin} is|was {feeling}|{profession}
{kin} works for|at|in {workplace}
{kin} works as {profession}
{kin} plays|played {skill} {when}
{kin} lost|found|needs|sold|repaired a|the {object} {past}
{who} ate|bought|cooked|forgot {food} {past}
{who} drank|ordered|spilled {drink} {past}
{who} went|walked|drove to {place} {past}
{who} lost|found|forgot|sold the {object} {past}
I do not like|eat|want {food}
I like|love|hate {drink}|{food}
I am|was {feeling}
we are|were {feeling}
she is|was {feeling} and|but|because he is|was {feeling}
he has|had {number} {objects}|{animals}
my {object} is|was {state}
our {animal} is|was {feeling}|{state}
{someone} opened|closed|broke|moved the {object}
{someone} stole|lost|found {number} {objects} {past}
{someone} slept|waited|worked|sang in {place} {past}
{group} went|walked|came|ran to {place} {past}
{group} are|were {feeling}
{group} played {skill} {past}
{group} drank {drink} in {place}
{place} is|was {state} {when}
{place} opens|closes at six|nine|noon
the bank|post_office|shop|school is|was closed {when}
the hospital|company|police|government has|had {number} workers|{objects}
the company|firm sold|lost|bought|makes {objects} {past}
the price|cost of {drink}|{food} rose|fell {past}
{number} {objects} cost {number} dollars|euros
{number} people were hurt|late|there {past}
there is|was a {animal} in {place}
there are|were {number} {animals} in {place}
there is|was no {drink} in {place}
where is|was the|my|your {object} ?
who ate|took|wants the {food} ?
what time|day is it {when} ?
do|did you like|eat|want {food} ?
can you play {skill} ?
why are|were you {feeling} ?
how much|many does|do the {objects} cost ?
please open|close|clean the {object}
please be|stay quiet {when}
come|go|be home before {holiday}
do not touch|open|sell the {object}
{holiday} was|is long|short|boring|good
{holiday} starts|ended|began {past}
{school_subject} is|was easy|hard|boring|fun
he teaches|studies|likes {school_subject}
she speaks|learned {language} and|but_not {language}
the {work} and the {work} met|talked in {place}
a {work} needs|bought a good|new {object}
the new {work} is|was {feeling}
Monday|Tuesday|Friday|Sunday is|was a|my holiday|free_day|birthday
January|March|August|December was|is|will_be cold|warm|wet
the meeting|concert|game|lesson is|was {when}
nobody knows|knew|asked why the {object} is|was {state}
some people like|eat {food} {when}
the soup|tea|room|car|water smells|looks good|bad|strange
the city|town|village is|was {state}
the river|lake|mountain|sea is|was {state}
her husband is|was {profession}
his wife is|was {feeling} {when}
the founder|owner|manager of the company is|was {feeling}
they moved to a bigger|small house|flat|town {past}
they got married {past}
"""

PLAIN_TRAIN_MODIFIERS = """
Mr. [P0]
Dr. [P0]
{profession} called [P0]
the {fame} [P0]
the {nation} {fame} [P0]
[P0] , {profession} ,
[P0] , {profession} at [O1] , => works_for 0 1
[P0] from [T1] => lives_in 0 1
[P0] , who lives in [L1] , => lives_in 0 1
[P0] of [C1] => works_for 0 1
[C0] , based in [T1] , => based_in 0 1
the {branch} company [C0]
the {nation} company [C0]
[T0] , [R1] , => located_in 0 1
[T0] , a city in [R1] , => located_in 0 1
the city of [T0]
[E0] in [T1] => held_in 0 1
"""

PLAIN_TRAIN_LEADS = """
I think that
today
in {year} ,
everybody knows that
as a young man|woman ,
"""

PLAIN_TRAIN_TAILS = """
, I think
, too
, you know
and I like that
in {year}
"""

PLAIN_TEST_CLAUSES = """
[P0] has been with [O1] for {number} years => works_for 0 1
~at [O1] , [P0] is|was responsible for {objects} => works_for 0 1
[O1] made [P0] its new chief {past} => works_for 0 1
[P0] earns|earned good money at [O1] => works_for 0 1
~the new boss at [O1] is called [P0] => works_for 0 1
~our friend [P0] , who works for [O1] , plays {skill} => works_for 0 1
[P0] was|is employed by [O1] as {profession} => works_for 0 1
[P0] used his free days at [O1] , where he works , to sleep => works_for 0 1
[P0] has been living in [L1] since {year} => lives_in 0 1
~{kin} , [P0] , has just moved to [L1] => lives_in 0 1
~if I am right , [P0] lives in [L1] now => lives_in 0 1
~the {work} [P0] lives somewhere in [L1] => lives_in 0 1
[P0] resides in [L1] => lives_in 0 1
~in [L1] there lives an old {work} whose name is [P0] => lives_in 0 1
~people in [L1] know [P0] well , for he lives there => lives_in 0 1
both [P0] and [P2] live in [L1] => lives_in 0 1; lives_in 2 1
[P0] shares a flat in [L1] with {number} {animals} => lives_in 0 1
[P0] lived in [L1] all her life => lives_in 0 1
~the {nation} {fame} [P0] lived and worked in [L1] => lives_in 0 1
[P0] works for [O2] but lives in [L1] => works_for 0 2; lives_in 0 1
[M0] bought {food} for his wife [F1] => married_to 0 1
[F0] went to {place} with her husband [M1] => married_to 0 1
~in {year} [P0] got married to [P1] => married_to 0 1
~[F0] , [M1] 's wife , speaks {language} => married_to 0 1
[P0] has been married to [P1] since {year} => married_to 0 1
~the name of [M0] 's wife is [F1] => married_to 0 1
[P0] and [P1] are husband and wife => married_to 0 1
~it was [P0] who founded [O1] => founded 0 1
[O1] was set up {past} by [P0] => founded 0 1
[P0] became rich after he founded [C1] => founded 0 1
~the {branch} company [C1] was founded by [P0] and [P2] => founded 0 1; founded 2 1
[P0] established [O1] {past} => founded 0 1
~the main office of [C0] is in [T1] => based_in 0 1
[O0] , which is based in [L1] , needs a new {work} => based_in 0 1
[T1] is where [O0] has its main office => based_in 0 1
~one big {branch} company in [T1] is [O0] => based_in 0 1
[O0] is a {nation} company with headquarters in [T1] => based_in 0 1
[C0] has been based in [L1] since {year} => based_in 0 1
~like [C2] , [C0] is based in [L1] => based_in 0 1; based_in 2 1
~last year [C0] bought the small company [C1] => acquired 0 1
[C1] was sold to [C0] {past} => acquired 0 1
[C0] purchased [C1] {past} => acquired 0 1
~{someone} told me that [C0] has bought [C1] => acquired 0 1
[C1] has been part of [C0] since {year} => acquired 0 1
[C0] paid {number} million dollars for [C1] => acquired 0 1
[C0] has made the [W1] since {year} => makes 0 1
~the [W1] , which is made by [C0] , is {state} => makes 0 1
[C0] sold {number} million of its [W1] => makes 0 1
[C0] is the maker of the [W1] => makes 0 1
~my new {object} is a [W1] made by [C0] => makes 0 1
[T0] is one of the nicest cities in [R1] => located_in 0 1
[T0] is situated in [R1] => located_in 0 1
~in [R1] there is a town called [T0] => located_in 0 1
[T0] , the capital of [R1] , is {state} => located_in 0 1
[N0] can be found in [R1] => located_in 0 1
~{kin} spent the summer in [T0] in [R1] => located_in 0 1
[T0] is a small place in the south of [R1] => located_in 0 1
~[L1] will be the host of the next [E0] => held_in 0 1
the [E0] will be held in [L1] => held_in 0 1
~many people came to [L1] for the [E0] => held_in 0 1
~{who} heard about the [E0] in [L1] on the radio => held_in 0 1
the [E0] was a big party in [L1] => held_in 0 1
"""

PLAIN_TEST_NEUTRAL = """
[P0] has never been to [L1]
[P0] comes to [L1] every summer
[P0] stopped working for [O1] {past}
[P0] was a child when he left [L1]
[P0] bought {number} {objects} in [L1]
[P0] told [P1] a secret
[P0] sat next to [P1] in {place}
[P0] forgot the {object} at home
[P0] knows a good {work}
[P0] dreams of a house in [L1]
[P0] went to school with [P1]
[P0] applied for a job at [O1]
~{kin} wants to see [L0]
~{kin} took a photo of [N0]
~{kin} has been working for [O0] since {year}
~I have lived in [L0] all my life
~how far is it from [L0] to [L1] ?
~when did [P0] leave [L1] ?
~do you know [P0] ?
~who bought [C0] ?
~it never snows in [L0]
~the last train to [L0] leaves at nine
~the {plural_place} in [L0] were closed {when}
[L0] is too expensive for us
[L0] is on the other side of [L1]
[C0] earns more money than [C1]
[C0] lost a lot of money {past}
[C0] talked to [C1] about a sale
~{someone} at [O0] answered the phone
~{kin} paid {number} euros for the [W0]
~the battery of my [W0] is empty
~nobody wanted to see the [E0]
~we had tickets for the [G0]
[P0] finished second in the [G1]
~Mr. [S0] has a red car
~Mrs. [S0] forgot to call Dr. [S1]
~" it is late , " [P0] answered
~the {nation} {fame} [P0] was ill {past}
~on Sunday [P0] baked a cake for [P1]
~the road to [L0] was blocked by {animals}
"""

PLAIN_TEST_EMPTY = """
the lights went out {past}
{kin} cut the grass {past}
I forgot to buy {food}
our {vehicle} had to wait for {number} minutes
the {animal} jumped over the {object}
{number} {animals} crossed the road
has anyone seen my {object} ?
{someone} knocked on the door {past}
there was nothing on television {past}
she put the {object} under the bed
it got dark before we reached {place}
{kin} is looking for a job
you should drink more {drink}
what a nice {object} this is
the {work} said that {holiday} was over
{school_subject} was never easy for {kin}
on Mondays we have {food} with {food}
the dentist is on holiday {when}
"""

PLAIN_TEST_MODIFIERS = """
Miss [P0]
my friend [P0]
[P0] , {profession} who works for [O1] , => works_for 0 1
the small {branch} company [C0]
"""

PLAIN_TEST_LEADS = """
I heard that
luckily ,
"""

PLAIN_TEST_TAILS = """
, of course
, as far as I know
"""
